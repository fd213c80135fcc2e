import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { digestOf } from '../shared/app/auth/refresh-tokens.ts'
import { connect, socketUrl } from '../shared/db/connect.ts'
import { createIdentityStore } from '../shared/db/auth/identity-store.ts'
import { systemClock } from '../shared/kit/system.ts'
import { testDatabaseTarget } from '../testing/worlds/database.ts'

const databaseUrl = socketUrl(await testDatabaseTarget())

const invite = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/invite.ts', ...args], {
    env: { DATABASE_URL: databaseUrl },
    encoding: 'utf8',
  })
  return { status, code: stdout.trim(), said: stderr }
}

it('prints a code that is good for a week, for anybody or for one address', async () => {
  const [open, bound] = [invite(), invite('--email', 'Ada@Example.org')]
  expect(open).toMatchObject({ status: 0, code: expect.stringMatching(/^dbi_[0-9a-f]{32}$/) })
  expect(bound).toMatchObject({ status: 0, said: expect.stringContaining('ada@example.org') })
  const sql = connect(databaseUrl, { max: 1, applicationName: 'test' })
  const store = createIdentityStore(sql)
  const now = systemClock.now()
  const inDays = (days: number) => new Date(now.getTime() + days * 24 * 60 * 60 * 1000)
  const holds = ({ code }: { code: string }, email: string, at = now) =>
    store.isInvited(digestOf(code), email, at)
  expect(
    await Promise.all([holds(open, 'a@example.org', inDays(6)), holds(open, 'a@example.org', inDays(8))]),
  ).toEqual([true, false])
  expect(await Promise.all([holds(bound, 'ada@example.org'), holds(bound, 'eve@example.org')])).toEqual([
    true,
    false,
  ])
  const rows = await sql`select row_to_json(i) as row from invitations i`
  expect(JSON.stringify(rows)).not.toContain(open.code)
  await sql.end({ timeout: 1 })
})

it('says in one line what is wrong', () => {
  const { status, code, said } = invite('--email', 'nobody')
  expect([status, code]).toEqual([1, ''])
  expect(said).toMatch(/^No invitation: .*\n$/)
})
