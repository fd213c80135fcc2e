import { spawnSync } from 'node:child_process'
import { ProgramError } from '../program-error.ts'

/** Of a Go module, as `knative.dev/serving@v0.50.0`; fetched where it is not there yet. */
export function moduleFolder(module: string): string {
  const { status, stdout, stderr, error } = spawnSync('go', ['mod', 'download', '-json', module], {
    cwd: '/',
    encoding: 'utf8',
  })
  if (error || status !== 0) {
    throw new ProgramError(
      'build.failed',
      `${module} could not be fetched: ${stderr || stdout || error?.message}`,
    )
  }
  return (JSON.parse(stdout) as { Dir: string }).Dir
}
