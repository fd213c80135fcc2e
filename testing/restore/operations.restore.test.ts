import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { inheritedEnvironment } from '../../shared/config.ts'
import { startRealDaybook } from '../faults/real-daybook.ts'
import { createApiClient } from '../worlds/api-client.ts'
import { ROOT } from '../worlds/source-files.ts'

// The blocks of docs/operations.md, pasted into a shell in the order in which somebody needs them.
const text = readFileSync(`${ROOT}docs/operations.md`, 'utf8')
const base = mkdtempSync(join(tmpdir(), 'daybook-operations-'))
chmodSync(base, 0o755)
const dataDir = join(base, 'data')
let daybook = startRealDaybook(dataDir)
afterAll(async () => {
  await daybook.destroy()
  rmSync(base, { recursive: true, force: true })
})

function paste(name: string): string {
  const block = new RegExp(`\`\`\`sh ${name}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1]
  if (block === undefined) throw new Error(`there is no block "${name}"`)
  const script = block.replaceAll('.daybook/', `${dataDir}/`).replaceAll('/mnt/backup', join(base, 'backup'))
  const env = { ...inheritedEnvironment(), DAYBOOK_DATA_DIR: dataDir }
  const done = spawnSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, env, encoding: 'utf8' })
  expect({ name, status: done.status, stderr: done.stderr }).toEqual({ name, status: 0, stderr: '' })
  return done.stdout
}
const client = createApiClient(async (path, init) => await fetch((await daybook.url()) + path, init))

it('the page of operations works as it is written', async () => {
  const person = await client.register()
  await client.have(person, 'POST', '/api/tasks', { title: 'Water the plants' })
  expect(paste('backup')).toMatch(/has a copy of .* and the log since/)
  expect(paste('upgrade')).toContain('The database is up to date.')
  expect(paste('keys')).toMatch(/Key \S+ in .* signs from now on/)
  paste('dead-letters')
  expect(paste('zone-data')).toMatch(/^\d{4}[a-z]\n$/m)
  paste('restore')
  daybook = startRealDaybook(dataDir)
  // Of before the restore: the session, and the task, which was in the first copy.
  expect(await client.have(person, 'GET', '/api/tasks')).toMatchObject({
    items: [{ title: 'Water the plants' }],
  })
  expect(paste('backup-again')).toContain('daybook-2')
})
