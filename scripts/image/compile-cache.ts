import { spawnSync } from 'node:child_process'
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { COMPILE_CACHE } from './layout.ts'

/**
 * Fills V8's cache of compiled code for the programs in `folder`, so that a process that starts from the image compiles
 * nothing. Each program is started without its settings: it loads everything, says what is missing and ends. The seed makes
 * the result the same each time and is no part of what Node looks for; the name of the cache holds the user that will run.
 */
export function fillCompileCache(
  folder: string,
  { programs, node, userId }: { programs: readonly string[]; node: string; userId: number },
): void {
  const cache = join(folder, COMPILE_CACHE)
  for (const program of programs) {
    const { status, stderr } = spawnSync(node, ['--random-seed=1', join(folder, `${program}.mjs`)], {
      cwd: folder,
      env: { NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: '1', DAYBOOK_DATA_DIR: '/nonexistent' },
      encoding: 'utf8',
    })
    // One line of ours, and not that something could not be loaded.
    if (status !== 1 || !/^(Daybook|failed to migrate): [^\n]+\n$/.test(stderr)) {
      throw new Error(`${program} was to say what it lacks, and did otherwise (${status}):\n${stderr}`)
    }
  }
  for (const name of readdirSync(cache)) {
    renameSync(join(cache, name), join(cache, name.replace(/-\d+$/, `-${userId}`)))
  }
}
