import { beforeEach, describe, expect, it } from 'vitest'
import type { ChangeStore } from '../../shared/app/ports.ts'
import { followZones } from '../../shared/app/tasks/follow-zones.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { wallToInstant } from '../../shared/domain/recurrence/wall-clock.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService(['reminders/add-reminder', 'tasks/follow-zones'])
const { newUser, sql, deps } = service
const ZONE = 'Africa/Casablanca'
/** The instant of a time there, whatever the rules are by now. */
const there = (wall: string) => wallToInstant(wall, ZONE).toISOString()

/** As if this process had another zone database than the one that the rows were derived by. */
const by = (zoneDatabase: string, change: Partial<ChangeStore> = {}) => ({
  ...deps,
  changes: { ...deps.changes, ...change },
  settings: { ...deps.settings, zoneDatabase },
})
const follow = (zoneDatabase = '2026c') => followZones(by(zoneDatabase), 'cron/follow-zones')

beforeEach(async () => {
  await sql`truncate zone_database`
  await follow('2025c')
})

/** The rows of a user as earlier rules would have derived them: the zone an hour ahead of where it is now. */
async function underOlderRules({ id }: Client): Promise<void> {
  const hour = sql`interval '1 hour'`
  const earlier = (dates: ReturnType<typeof sql>) =>
    sql`array(select date - ${hour} from unnest(${dates}) date order by 1)`
  await sql`update tasks set due_at = due_at - ${hour}, remind_at = remind_at - ${hour},
    occurrence_at = occurrence_at - case when due_at is null then interval '0' else ${hour} end, due_order = due_order - ${hour} where user_id = ${id} and time_zone = ${ZONE}`
  await sql`update series set start_at = start_at - ${hour}, exdates = ${earlier(sql`exdates`)},
    rdates = ${earlier(sql`rdates`)} where user_id = ${id} and time_zone = ${ZONE} and not is_all_day`
  await sql`update occurrences set occurrence_at = occurrence_at - ${hour}
    where user_id = ${id} and occurrence_wall like ${`%[${ZONE}]`}`
  await sql`update reminders set remind_at = remind_at - ${hour}, fire_at = fire_at - ${hour}
    where user_id = ${id} and time_zone = ${ZONE}`
}

/** Everything that is derived, without the versions; when a task was due that is done is history. */
const instants = async ({ id }: Client) => ({
  tasks: await sql`select id, case when is_open then due_at end as due_at, due_date,
      case when is_open then due_order end as due_order, due_wall, remind_at, remind_wall, occurrence_at from tasks
    where user_id = ${id} order by id`,
  series: await sql`select start_at, exdates, rdates, walls from series where user_id = ${id} order by id`,
  occurrences: await sql`select occurrence_at, occurrence_wall, state, task_id from occurrences
    where user_id = ${id} order by series_id, 1`,
  reminders:
    await sql`select remind_at, fire_at, remind_wall from reminders where user_id = ${id} order by id`,
})

const create = (user: Client, input: object) => user.create({ time_zone: ZONE, ...input })
const remind = (user: Client, { id }: TaskView, when: object) =>
  user.does('POST', `/api/tasks/${id}/reminders`, when)
const reloaded = (user: Client, { id }: { id: string }) => user.does('PATCH', `/api/tasks/${id}`, {})

async function manyKinds(user: Client): Promise<void> {
  const timed = await create(user, { due_at: '2026-06-01T08:00:00Z', remind_at: '2026-06-01T07:00:00Z' })
  await remind(user, timed, { offset_minutes: 30 })
  await remind(user, timed, { remind_at: '2026-05-31T20:00:00Z' })
  const day = await create(user, { due_date: '2026-06-02' })
  await remind(user, day, { offset_minutes: 60 })
  const rule = { recurrence_rule: 'FREQ=WEEKLY', due_at: '2026-06-01T08:00:00Z' }
  const dates = { exdates: ['2026-06-15T08:00:00Z'], rdates: ['2026-06-17T08:00:00Z'] }
  const weekly = await create(user, { ...rule, ...dates })
  await service.next(user, weekly.id)
  await create(user, { recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO', due_date: '2026-06-01' })
}

describe('a newer zone database', () => {
  it('has everything derived again from what it means on the wall, once, with events', async () => {
    const user = newUser()
    await manyKinds(user)
    const meant = await instants(user)
    await underOlderRules(user)
    expect(await instants(user)).not.toEqual(meant)
    const seen = (await user.events()).at(-1)!.seq
    expect(await follow()).toBe(3)
    expect(await instants(user)).toEqual(meant)
    const events = await user.events(seen)
    const changed = events.find(({ type }) => type === 'task.updated')!
    expect(changed.data).toMatchObject({ actor: { type: 'system', id: 'zones', on_behalf_of: user.id } })
    expect(events.map(({ type }) => type).toSorted()).toEqual([
      'reminder.rescheduled',
      'reminder.rescheduled',
      'reminder.rescheduled',
      'reminder.rescheduled',
      'series.updated',
      'task.updated',
      'task.updated',
      'task.updated',
    ])
    expect(service.logged.map(({ fields }) => fields)).toContainEqual({
      moved: 3,
      from: '2025c',
      to: '2026c',
    })
    expect(await follow()).toBe(0)
    expect(await follow('2026d')).toBe(0)
    expect(await instants(user)).toEqual(meant)
  })

  it.each([
    [
      'monthly, from the end of a month',
      { recurrence_rule: 'monthly', due_at: there('2026-12-31T23:30') },
      ['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30'],
    ],
    [
      'monthly, from the first minutes of a month',
      { recurrence_rule: 'monthly', due_at: there('2027-01-01T00:30') },
      ['2027-02-01', '2027-03-01', '2027-04-01', '2027-05-01'],
    ],
    [
      'every Monday, all day',
      { recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO', due_date: '2026-12-28' },
      ['2027-01-04', '2027-01-11', '2027-01-18', '2027-01-25'],
    ],
    [
      'every day at half past midnight, without two',
      {
        recurrence_rule: 'daily',
        due_at: there('2026-12-31T00:30'),
        exdates: [there('2027-01-02T00:30'), there('2027-01-04T00:30')],
      },
      ['2027-01-01', '2027-01-03', '2027-01-05', '2027-01-06'],
    ],
  ])('doubles and misses no day of a series: %s', async (_, input, days) => {
    const user = newUser()
    const first = await create(user, input)
    const meant = await reloaded(user, first)
    await underOlderRules(user)
    await follow()
    expect((await reloaded(user, first)).due_at).toBe(meant.due_at)
    const found: (string | null)[] = []
    let id = first.id
    for (let step = 0; step < days.length; step += 1) {
      const next = (await service.next(user, id, '2026-12-01T08:00:00Z'))!
      found.push(next.due_date)
      id = next.id
    }
    expect(found).toEqual(days)
  })

  it('knows the last occurrence again, completed or skipped, and one that was done ahead of its time', async () => {
    for (const step of ['complete', 'skip']) {
      const user = newUser()
      const first = await create(user, { recurrence_rule: 'daily', due_at: '2026-06-01T08:00:00Z' })
      const second = (await service.next(user, first.id))!
      await user.does('POST', `/api/tasks/${second.id}/${step}`)
      await underOlderRules(user)
      await follow()
      await service.deliver()
      const made = (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')
      expect(made.map(({ data }) => data.task.due_date)).toEqual(['2026-06-02', '2026-06-03'])
    }
  })

  it('goes on where a crash left it, at whatever step', async () => {
    for (let crash = 1; crash <= 3; crash += 1) {
      await sql`update zone_database set version = '2025c'`
      const user = newUser()
      await manyKinds(user)
      const meant = await instants(user)
      await underOlderRules(user)
      const seen = (await user.events()).at(-1)!.seq
      let commits = 0
      const dying = by('2026c', {
        commit: async (change) => {
          commits += 1
          const result = commits === crash ? null : await deps.changes.commit(change)
          if (result === null || commits === crash) throw new Error('killed')
          return result
        },
      })
      await expect(followZones(dying, 'cron/follow-zones')).rejects.toThrow('killed')
      await follow()
      expect(await instants(user)).toEqual(meant)
      const updates = (await user.events(seen)).filter(({ type }) => type === 'task.updated')
      expect(new Set(updates.map(({ subject }) => subject)).size).toBe(updates.length)
    }
  })

  it('is followed by one process when several start at once', async () => {
    const user = newUser()
    await manyKinds(user)
    await underOlderRules(user)
    const counts = await Promise.all(Array.from({ length: 5 }, () => follow()))
    expect(counts.filter((count) => count > 0)).toEqual([3])
  })

  it('passes nothing by that a user changes at the same time', async () => {
    const user = newUser()
    const task = await create(user, { due_at: '2026-06-01T08:00:00Z' })
    await underOlderRules(user)
    let isFirst = true
    const slow = by('2026c', {
      commit: async (change) => {
        if (isFirst) await deps.changes.commit({ ...change, events: [], changedTasks: [] })
        if (isFirst) await user.does('PATCH', `/api/tasks/${task.id}`, { title: 'Call' })
        isFirst = false
        return deps.changes.commit(change)
      },
    })
    expect(await followZones(slow, 'cron/follow-zones')).toBe(1)
    expect(await reloaded(user, task)).toMatchObject({ title: 'Call', due_at: '2026-06-01T08:00:00.000Z' })
  })

  it('is not followed back: an older one leaves everything as it is and says so', async () => {
    const user = newUser()
    await manyKinds(user)
    await underOlderRules(user)
    const before = await instants(user)
    expect(await follow('2025b')).toBe(0)
    expect(await instants(user)).toEqual(before)
    expect(service.logged.map(({ fields }) => fields)).toContainEqual({ own: '2025b', recorded: '2025c' })
    await follow()
  })

  it('leaves alone what is done and what was right', async () => {
    const user = newUser()
    const done = await create(user, { due_at: '2026-06-01T08:00:00Z' })
    await user.create({ due_at: '2026-06-01T08:00:00Z', time_zone: 'Europe/Berlin' })
    await user.does('POST', `/api/tasks/${done.id}/complete`)
    await underOlderRules(user)
    expect(await follow()).toBe(0)
  })
})

describe('time_zone: floating', () => {
  const choose = async ({ id }: Client, zone: string) => {
    await sql`insert into notification_preferences (user_id, channels, time_zone, version, updated_at)
      values (${id}, '{}', ${zone}, 1, now())
      on conflict (user_id) do update set time_zone = excluded.time_zone`
  }
  const floating = (user: Client, input: object) => user.create({ time_zone: 'floating', ...input })

  it("is the user's present zone, and moves with it", async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const task = await floating(user, { due_at: '2026-06-01T07:00:00Z' })
    expect(task).toMatchObject({ time_zone: 'floating', due_date: '2026-06-01' })
    await remind(user, task, { remind_at: '2026-06-01T06:00:00Z' })
    const fixed = await user.create({ due_at: '2026-06-01T07:00:00Z', time_zone: 'Europe/Berlin' })
    const day = await floating(user, { due_date: '2026-06-01' })
    await choose(user, 'America/New_York')
    expect(await follow('2025c')).toBe(2)
    expect(await reloaded(user, task)).toMatchObject({
      time_zone: 'floating',
      due_at: '2026-06-01T13:00:00.000Z',
      due_date: '2026-06-01',
    })
    expect(await reloaded(user, fixed)).toMatchObject({ due_at: '2026-06-01T07:00:00.000Z' })
    expect(await reloaded(user, day)).toMatchObject({ due_date: '2026-06-01', due_at: null })
    const [reminder] = await sql`select fire_at from reminders where user_id = ${user.id}`
    expect(reminder).toEqual({ fire_at: new Date('2026-06-01T12:00:00Z') })
    const [order] = await sql`select due_order from tasks where id = ${day.id}`
    expect(order).toEqual({ due_order: new Date('2026-06-02T03:59:59.999Z') })
    expect(await follow('2025c')).toBe(0)
    expect((await floating(user, { due_date: '2026-06-01' })).time_zone).toBe('floating')
    expect(await follow('2025c')).toBe(0)
  })

  it('takes a series along: today is not offered twice', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const first = await floating(user, { due_at: '2026-06-01T07:00:00Z', recurrence_rule: 'daily' })
    const second = (await service.next(user, first.id, '2026-06-01T07:05:00Z'))!
    expect(second).toMatchObject({ time_zone: 'floating', due_at: '2026-06-02T07:00:00.000Z' })
    await choose(user, 'America/New_York')
    expect(await follow('2025c')).toBe(1)
    expect(await reloaded(user, second)).toMatchObject({ due_at: '2026-06-02T13:00:00.000Z' })
    const third = (await service.next(user, second.id, '2026-06-02T13:05:00Z'))!
    expect(third).toMatchObject({ time_zone: 'floating', due_at: '2026-06-03T13:00:00.000Z' })
  })

  it('can be given and taken by an edit, which moves nothing', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const task = await user.create({ due_at: '2026-06-01T07:00:00Z' })
    const edit = (body: object) => user.does('PATCH', `/api/tasks/${task.id}`, body)
    expect(await edit({ time_zone: 'floating' })).toMatchObject({
      time_zone: 'floating',
      due_at: task.due_at,
    })
    expect(await edit({ title: 'Call' })).toMatchObject({ time_zone: 'floating' })
    await choose(user, 'Asia/Tokyo')
    const { time_zone: zone } = await edit({ time_zone: 'Europe/Berlin' })
    expect(zone).toBe('Europe/Berlin')
    expect(await follow('2025c')).toBe(0)
  })
})
