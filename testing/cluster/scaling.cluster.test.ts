import { afterAll, expect, it } from 'vitest'
import { connect } from '../../shared/db/connect.ts'
import { kubectl } from '../../tools/cluster/kubectl.ts'
import { createApiClient } from '../worlds/api-client.ts'
import { clientOf } from '../product/harness/product.ts'
import { DATABASE_URL } from './harness/database.ts'
import { allAsleep, followPods, until } from './harness/pods.ts'
import { replicaCurve } from './harness/replica-curve.ts'
import { NAMESPACE, GATEWAY } from './harness/releases.ts'

const USERS = 12
const TASKS = 80
/** Of an event, from zero, to its effect. */
const WITHIN_MS = 15_000

const api = createApiClient((path, init) => fetch(GATEWAY + path, init))
const sql = connect(DATABASE_URL, { max: 2, applicationName: 'test' })
const pods = await followPods()
afterAll(async () => {
  pods.close()
  await sql.end({ timeout: 1 })
})

const daily = { due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' }
const newUser = async () => clientOf(api, await api.register())

it('a completed task brings the next one, with its worker at zero', async () => {
  const user = await newUser()
  const { id } = await user.create(daily)
  await allAsleep(pods)
  const completed = Date.now()
  await user.does('POST', `/api/tasks/${id}/complete`)
  const next = async () => (await user.events()).some(({ type }) => type === 'task.occurrence.generated')
  const took = await until('the next occurrence', next, 60_000)
  expect(took).toBeLessThan(WITHIN_MS)
  console.log(
    `completed with all at zero: answered and next occurrence ${Date.now() - completed} ms, ${took} ms after the answer`,
  )
})

it('lag wakes a worker, brings more of it, and lets all go; events of a user are handled in order', async () => {
  const users = await Promise.all(Array.from({ length: USERS }, newUser))
  const tasks = await Promise.all(
    users.map(async (user) => {
      const ids: string[] = []
      for (let nth = 0; nth < TASKS; nth += 1) ids.push((await user.create(daily)).id)
      return { user, ids }
    }),
  )
  await until('the worker sleeps', () => pods.living('recurrence-worker').length === 0)
  const pause = (value: string) =>
    kubectl('-n', NAMESPACE, 'annotate', 'scaledobject', 'recurrence-worker', value, '--overwrite')
  await pause('autoscaling.keda.sh/paused-replicas=0')
  await Promise.all(
    tasks.map(async ({ user, ids }) => {
      for (const id of ids) await user.does('POST', `/api/tasks/${id}/complete`)
    }),
  )
  const begun = Date.now()
  await pause('autoscaling.keda.sh/paused-replicas-')
  const ids = users.map(({ id }) => id)
  const made = async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from events where type = 'task.occurrence.generated' and user_id in ${sql(ids)}`
    return row!.count
  }
  const done = await until('every next occurrence', async () => (await made()) === USERS * TASKS, 120_000)
  await until('the worker is gone', () => pods.living('recurrence-worker').length === 0)
  const workers = pods.all.filter(({ app, seenAt }) => app === 'recurrence-worker' && seenAt >= begun)
  const curve = replicaCurve(workers, begun)
  const most = Math.max(...curve.map(({ count }) => count))
  console.log(
    `${USERS * TASKS} completions waiting: first pod ready after ${Math.min(...workers.map(({ readyAt }) => readyAt ?? Number.POSITIVE_INFINITY)) - begun} ms, all done after ${done} ms, at most ${most} pods, none after ${Date.now() - begun} ms`,
  )
  expect(most).toBeGreaterThan(1)
  // What was handled out of order would have made its occurrence before that of an earlier completion.
  const swapped = await sql`
    with made as (
      select e.user_id, e.seq as made_at, c.seq as completed_at
      from events e join events c on c.user_id = e.user_id and c.type = 'task.completed'
        and c.data #>> '{task,series_id}' = e.data #>> '{task,series_id}'
      where e.type = 'task.occurrence.generated' and e.user_id in ${sql(ids)})
    select * from (select *, lag(completed_at) over (partition by user_id order by made_at) as earlier from made) each
    where earlier > completed_at`
  expect(swapped).toEqual([])
})
