import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, unlinkSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { recordMissed } from '../shared/app/audit/record-audit.ts'
import { makeCheckpoint } from '../shared/app/audit/sign-checkpoint.ts'
import { genesisOf } from '../shared/domain/audit/chain.ts'
import { verifierText } from '../shared/domain/audit/signed-note.ts'
import { connect, socketUrl } from '../shared/db/connect.ts'
import { aChange } from '../testing/builders/a-task.ts'
import { composeDaybook } from '../testing/worlds/compose-daybook.ts'
import { testDatabaseTarget } from '../testing/worlds/database.ts'

const target = await testDatabaseTarget()
const sql = connect(target, { max: 4, applicationName: 'test' })
const folder = mkdtempSync(join(tmpdir(), 'daybook-checkpoints-'))
afterAll(async () => {
  await sql.end({ timeout: 1 })
  rmSync(folder, { recursive: true })
})
const { deps } = composeDaybook(sql, { env: { AUDIT_CHECKPOINTS: folder } })

const run = (script: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`scripts/${script}.ts`, ...args], {
    env: { DATABASE_URL: socketUrl(target) },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}
const verify = (...args: string[]) => run('audit-verify', '--checkpoints', folder, ...args)

const users = [deps.ids.uuid(), deps.ids.uuid()] as const
async function happen(userId: string) {
  await deps.changes.commit(aChange(userId))
  await recordMissed(deps)
  await makeCheckpoint(deps, 'cron/sign-checkpoint')
}

it('says that all is well, and otherwise what is not', async () => {
  for (const user of [...users, ...users]) await happen(user)
  expect(verify()).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(
      /^4 entries of 2 users are whole and unchanged.*\n8 checkpoints are signed and hold the 4 leaves of the tree\.\n$/,
    ),
  })
  const verifier = verifierText(await deps.checkpointKeys.get())
  expect(verify('--key', verifier, '--user', users[0])).toMatchObject({ status: 0 })
  const { stderr: other } = run('audit-key', 'daybook.example/audit')
  expect(verify('--key', other.trim().replace('Verifier: ', ''))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('is not signed by the key of this log'),
  })

  await sql`update audit_tree set hash = sha256(hash) where index = 2`
  expect(verify()).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('a checkpoint holds another entry'),
  })
  await sql`update audit_tree t set hash = e.hash from audit_entries e where e.user_id = t.user_id and e.seq = t.seq`
  expect(verify()).toMatchObject({ status: 0 })

  // Whoever writes the database and has its key still has not the copies.
  await sql`delete from audit_checkpoints where size = 4`
  await sql`delete from audit_tree where index = 3`
  await sql`delete from audit_entries where user_id = ${users[1]} and seq = 2`
  await sql`delete from audit_chains where user_id = ${users[1]}`
  await sql`
    insert into audit_chains select user_id, seq, hash, 0, decode(${genesisOf(users[1]).toString('hex')}, 'hex')
    from audit_entries where user_id = ${users[1]}`
  expect(verify()).toMatchObject({ status: 2, stderr: expect.stringContaining('leaves, and there are 3') })
  unlinkSync(join(folder, readdirSync(folder).toSorted().at(-1)!))
  expect(verify()).toMatchObject({ status: 0 })
}, 60_000)
