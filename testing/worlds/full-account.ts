import { recordAudit } from '../../shared/app/audit/record-audit.ts'
import { makeCheckpoint } from '../../shared/app/audit/sign-checkpoint.ts'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { systemIds } from '../../shared/kit/system.ts'
import addPushSubscription from '../../functions/notifications/add-push-subscription.ts'
import setPreferences from '../../functions/notifications/set-preferences.ts'
import createApiToken from '../../functions/auth/create-api-token.ts'
import issueTicket from '../../functions/auth/issue-ticket.ts'
import registerUser from '../../functions/auth/register-user.ts'
import createTask from '../../functions/tasks/create-task.ts'
import { announce } from './announce.ts'
import type { IdentityWorld } from './identity-world.ts'
import { aBrowser } from './push-service.ts'

const password = 'correct horse battery staple'

/** Somebody with a row at least in every table that holds rows of users. */
export async function fullAccount(world: IdentityWorld) {
  const { sql, deps } = world
  const email = `${systemIds.uuid()}@example.org`
  const peer = `2001:db8:${systemIds.hex(2)}:${systemIds.hex(2)}::1`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password }, peer })
  const { access_token: token, user } = body
  const { id } = user
  const create = (json: object) =>
    world.call<{ id: string }>(createTask, { token, json, headers: { 'idempotency-key': systemIds.uuid() } })
  await create({
    title: 'Pay rent',
    tags: ['home'],
    due_at: '2027-03-01T09:00:00Z',
    remind_at: '2027-03-01T08:00:00Z',
  })
  await create({ title: 'Stretch', recurrence_rule: 'daily', due_at: '2027-03-01T09:00:00Z' })
  const { body: gone } = await create({ title: 'Forget me', description: 'a secret plan' })
  await sql`update tasks set deleted_at = now() where id = ${gone.id}`
  await announce(deps.changes, id)
  await world.call(setPreferences, { token, json: { daily_digest: { at: '07:00' } } })
  await world.call(addPushSubscription, { token, json: aBrowser() })
  await world.call(issueTicket, { token })
  await world.call(createApiToken, { token, json: { name: 'Assistant', scopes: ['tasks:read'] } })
  await world.resetLink(body.user as { id: string; email: string })
  await sql`insert into external_identities values ('https://issuer.example', ${id}, ${id})`
  await sql`insert into dead_letters (id, event_id, consumer, type, user_id, reason, letter, state, times, received_at)
    values (${systemIds.uuid()}, ${id}, 'test', 'task.created', ${id}, 'a test', '{}', 'open', 1, now())`
  await recordAudit(deps, id)
  await makeCheckpoint(deps, 'cron/sign-checkpoint')
  return { id, email, password, token, refreshToken: body.refresh_token, peer }
}

/** Rows of the user in each table with a column `user_id`, as the database itself knows them. */
export async function rowsOf(
  { sql }: Pick<IdentityWorld, 'sql'>,
  userId: string,
): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'user_id' order by 1`
  const counts = tables.map(async ({ name }): Promise<[string, number]> => {
    const [row] = await sql<{ rows: number }[]>`
      select count(*)::int as rows from ${sql(name)} where user_id = ${userId}`
    return [name, row!.rows]
  })
  return Object.fromEntries(await Promise.all(counts))
}
