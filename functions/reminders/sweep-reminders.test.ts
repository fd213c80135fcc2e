import { describe, expect, it } from 'vitest'
import { fireDue } from '../../shared/app/reminders/fire-reminders.ts'
import type { CommitResult } from '../../shared/app/ports.ts'
import type { DueReminder } from '../../shared/app/reminders/ports.ts'
import { createDeliveryQueue } from '../../shared/db/notifications/delivery-queue.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { reminderService } from '../../testing/worlds/reminder-service.ts'

const service = await reminderService()
const {
  newUser,
  reminded,
  remind,
  tick,
  tickAt,
  callBack,
  ledger,
  row,
  story,
  notifications,
  sql,
  deps,
  at,
} = service

const minutesPast8 = (minutes: number, seconds = 0) => {
  const time = new Date(Date.parse('2026-03-02T08:00:00Z') + minutes * 60_000 + seconds * 1000)
  at(time.toISOString())
  return time
}
const tickPast8 = async (minutes: number, seconds = 0) => {
  minutesPast8(minutes, seconds)
  return await tick()
}
const TOLD = ['reminder.triggered', 'reminder.sent']

describe('a due reminder', () => {
  it('reaches its user in the app, once, with the events that tell of it', async () => {
    const user = newUser()
    const { reminder } = await reminded(user, { title: 'Call the bank' })
    expect(await tickPast8(5)).toBe(204)
    expect(await ledger(reminder.id)).toEqual([
      {
        fire_at: reminder.fireAt,
        channel: 'in_app',
        state: 'delivered',
        late: false,
        delivered_at: new Date('2026-03-02T08:05:00Z'),
      },
    ])
    expect(await story(user)).toEqual(TOLD)
    const sent = (await user.events()).find(({ type }) => type === 'notification.sent')
    expect(await notifications(user)).toEqual([{ title: 'Call the bank', late: false, seq: sent!.seq }])
    await tickPast8(20)
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('is not told before its time', async () => {
    const user = newUser()
    const { reminder } = await reminded(user)
    await tickPast8(4, 59)
    expect([await ledger(reminder.id), await story(user)]).toEqual([[], []])
  })

  it('is told among the first, however many another user has at the same instant', async () => {
    const [crowd, other] = [newUser(), newUser()]
    for (let n = 0; n < 601; n += 1) await remind(crowd, await crowd.create())
    const { reminder } = await reminded(other)
    const order: string[] = []
    const commit: typeof deps.changes.commit = (change) => {
      order.push(change.userId)
      return deps.changes.commit(change)
    }
    minutesPast8(5)
    await fireDue({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-reminders')
    expect(order.filter((id) => id === crowd.id)).toHaveLength(601)
    // Among the first of every user, and there are few.
    expect(order.indexOf(other.id)).toBeLessThan(10)
    expect(await ledger(reminder.id)).toMatchObject([{ state: 'delivered' }])
  })

  it('comes late rather than never, and says so', async () => {
    const user = newUser()
    const { reminder } = await reminded(user)
    await tickPast8(180)
    expect(await ledger(reminder.id)).toMatchObject([{ late: true, state: 'delivered' }])
    expect(await notifications(user)).toMatchObject([{ late: true }])
  })

  it('is told on each channel and device by which its user can be reached', async () => {
    const user = newUser()
    const { reminder } = await reminded(user)
    const device = systemIds.uuid()
    await sql`insert into users values (${user.id}, ${`${user.id}@example.org`}, 'x', 'Asia/Tokyo', now(), now())`
    await sql`insert into push_subscriptions values (${device}, ${user.id}, 'web_push', ${device}, null, now(), now())`
    await tickPast8(5)
    expect((await ledger(reminder.id)).map(({ channel, state }) => [channel, state])).toEqual([
      ['in_app', 'delivered'],
      ['email', 'triggered'],
      ['web_push', 'triggered'],
    ])
    const [told] = await sql<{ body: string }[]>`select body from notifications where user_id = ${user.id}`
    expect(told!.body).toBe('Due on Monday 2 March 2026 at 18:00 (Asia/Tokyo).')
    expect(await story(user)).toEqual(['reminder.triggered'])
  })

  it('comes again every ten minutes while nobody acknowledges it', async () => {
    const user = newUser()
    const { reminder } = await reminded(user, { priority: 'high' })
    for (const minutes of [5, 15, 16, 25, 90]) {
      await tickPast8(minutes)
    }
    const times = (await ledger(reminder.id)).map(({ fire_at }) => fire_at.toISOString().slice(11, 16))
    expect(times).toEqual(['08:05', '08:15', '08:25', '08:35'])
    expect(await row(reminder.id)).toMatchObject({ fireAt: null })
  })

  it('does not come again once it is acknowledged', async () => {
    const user = newUser()
    const { reminder } = await reminded(user, { priority: 'high' })
    await tickPast8(5)
    await sql`with acknowledged as (
      update reminders set acknowledged_at = now(), fire_at = null, version = version + 1
        where id = ${reminder.id} returning user_id)
      update user_counters set open_reminders = open_reminders - 1 where user_id in (select user_id from acknowledged)`
    await tickPast8(60)
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('is told once when the clock is put back after it', async () => {
    const user = newUser()
    const { reminder } = await reminded(user, { priority: 'high' })
    await tickPast8(5)
    await tickPast8(1)
    await tickPast8(6)
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('that is set back to a time at which it was told is not told again, and goes on', async () => {
    const user = newUser()
    const { reminder } = await reminded(user, { priority: 'high' })
    await tickPast8(5)
    await sql`update reminders set fire_at = remind_at, version = version + 1 where id = ${reminder.id}`
    await tick()
    expect(await ledger(reminder.id)).toHaveLength(1)
    expect(await row(reminder.id)).toMatchObject({ fireAt: new Date('2026-03-02T08:15:00Z') })
  })
})

describe('many at once', () => {
  it('tells each of many users of each of their reminders once, in batches', async () => {
    const users = Array.from({ length: 12 }, () => newUser())
    const reminders = await Promise.all(
      users.map(async (user) => {
        const made = await Promise.all(Array.from({ length: 8 }, () => reminded(user)))
        return made.map(({ reminder }) => reminder)
      }),
    )
    minutesPast8(5)
    expect(await fireDue(deps, 'cron/sweep-reminders', { limit: 20 })).toBe(96)
    const all = reminders.flat().map(({ id }) => id)
    const lines = await sql`select reminder_id from deliveries where reminder_id = any(${all}::uuid[])`
    expect([lines.length, new Set(lines.map((line) => line['reminder_id'])).size]).toEqual([96, 96])
    const told = await Promise.all(users.map((user) => story(user)))
    expect(told.map((types) => types.length)).toEqual(users.map(() => 16))
  })

  it('tells of a task once on each channel, however many reminders of it have the same time', async () => {
    const user = newUser()
    await sql`insert into users values (${user.id}, ${`${user.id}@example.org`}, 'x', 'UTC', now(), now())`
    const { task, reminder } = await reminded(user, { priority: 'high' }, { channels: ['in_app'] })
    const others = [
      await remind(user, task, { channels: ['in_app'] }),
      await remind(user, task, { channels: ['in_app', 'email'] }),
      await remind(user, task, { channels: ['email'] }),
    ]
    const all = [reminder, ...others].map(({ id }) => id)
    const told = () => sql<{ channel: string; at: string }[]>`
      select channel, to_char(fire_at at time zone 'UTC', 'HH24:MI') as at from deliveries
      where reminder_id = any(${all}::uuid[]) and state <> 'cancelled' order by fire_at, channel`
    minutesPast8(5)
    await Promise.all([
      fireDue(deps, 'cron/sweep-reminders', { limit: 2 }),
      fireDue(deps, 'cron/sweep-reminders', { limit: 2 }),
      tick(),
    ])
    await tick()
    expect(await told()).toEqual([
      { channel: 'email', at: '08:05' },
      { channel: 'in_app', at: '08:05' },
    ])
    // Whichever was first repeats; the others say in the ledger why they were silent.
    await tickPast8(15)
    expect((await told()).slice(2)).toEqual([
      { channel: 'email', at: '08:15' },
      { channel: 'in_app', at: '08:15' },
    ])
    const shown = await notifications(user)
    expect(shown.filter(({ seq }) => seq !== null)).toHaveLength(2)
    const types = await story(user)
    expect(types.filter((type) => type === 'reminder.triggered').length).toBeLessThanOrEqual(4)
    const silent = await sql`
      select distinct reason from deliveries where reminder_id = any(${all}::uuid[]) and state = 'cancelled'`
    expect(silent).toMatchObject([{ reason: 'another reminder of this task has told it at this time' }])
  })

  it('is one line per task, time and channel by a constraint, whoever writes it', async () => {
    const user = newUser()
    const { task, reminder } = await reminded(user)
    const other = await remind(user, task)
    await tickPast8(5)
    const write = sql`
      insert into deliveries (id, user_id, notification_id, reminder_id, task_id, fire_at, channel, target, state, attempts,
        triggered_at, late, version)
      select ${systemIds.uuid()}, user_id, ${systemIds.uuid()}, ${other.id}, task_id, fire_at, channel, target, state, 0,
        triggered_at, late, 1 from deliveries where reminder_id in (${reminder.id}, ${other.id}) and state <> 'cancelled'
        and channel = 'in_app'`
    await expect(write).rejects.toThrow(/duplicate key/)
  })

  it('tells by the reminder that is left when the one that told is removed in quiet hours', async () => {
    const user = newUser()
    const quiet = { start: '08:00', end: '10:00' }
    await sql`insert into notification_preferences (user_id, channels, quiet_hours, version, updated_at)
      values (${user.id}, '{}', ${sql.json(quiet)}, 1, now())`
    const { task, reminder } = await reminded(user)
    const other = await remind(user, task)
    await tickPast8(5)
    const [held] = await sql<{ reminder_id: string }[]>`
      select reminder_id from deliveries where reminder_id in (${reminder.id}, ${other.id}) and state = 'held'`
    await sql`with removed as (
      update reminders set deleted_at = now(), version = version + 1 where id = ${held!.reminder_id})
      select 1`
    const claimed = await createDeliveryQueue(sql).claimHeld({
      now: new Date('2026-03-02T10:00:00Z'),
      leaseUntil: new Date('2026-03-02T10:01:00Z'),
      limit: 10,
    })
    expect(claimed?.held.map(({ isWanted }) => isWanted)).toEqual([true])
  })

  it('tells once whoever fires: sweeps, jobs and workers at the same time', async () => {
    const user = newUser()
    const made = await Promise.all(Array.from({ length: 10 }, () => reminded(user)))
    minutesPast8(5)
    await Promise.all([
      ...Array.from({ length: 4 }, () => fireDue(deps, 'cron/sweep-reminders', { limit: 3 })),
      ...made.flatMap(({ reminder }) => [callBack(reminder.id), callBack(reminder.id)]),
      tick(),
    ])
    await tick()
    const counts = await Promise.all(made.map(async ({ reminder }) => (await ledger(reminder.id)).length))
    expect(counts).toEqual(made.map(() => 1))
  })

  it('deals with the others when one cannot be dealt with, and with that one later', async () => {
    const [unlucky, user] = [newUser(), newUser()]
    const [stuck, other] = [await reminded(unlucky), await reminded(user)]
    minutesPast8(5)
    const commit: typeof deps.changes.commit = (change) =>
      change.userId === unlucky.id ? Promise.reject(new Error('no')) : deps.changes.commit(change)
    const failing = { ...deps, changes: { ...deps.changes, commit } }
    await expect(fireDue(failing, 'cron/sweep-reminders')).rejects.toThrow('failed to fire 1 reminders')
    expect(await ledger(other.reminder.id)).toHaveLength(1)
    await tickPast8(5, 31)
    expect(await ledger(stuck.reminder.id)).toMatchObject([{ late: false }])
  })
})

describe('a worker that dies', () => {
  const claimAndDie = async () => {
    const now = deps.clock.now()
    return await deps.dueReminders.claimDue({ now, leaseUntil: new Date(now.getTime() + 30_000), limit: 500 })
  }

  it('keeps what it has claimed for thirty seconds, and then another fires it', async () => {
    const { reminder } = await reminded(newUser())
    minutesPast8(5)
    expect(await claimAndDie()).toHaveLength(1)
    await tickPast8(5, 29)
    expect(await ledger(reminder.id)).toEqual([])
    expect(await deps.dueReminders.nextDueAt()).toEqual(new Date('2026-03-02T08:05:30Z'))
    await tickPast8(5, 30)
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('and comes back after all does not tell what another has told', async () => {
    const user = newUser()
    const { reminder } = await reminded(user)
    minutesPast8(5)
    let commits = 0
    const slow = service.afterClaim(async () => {
      if ((commits += 1) > 1) return
      await tickPast8(5, 40)
    })
    expect(await fireDue(slow, 'cron/sweep-reminders')).toBe(0)
    expect([await ledger(reminder.id), await story(user)]).toMatchObject([[{ state: 'delivered' }], TOLD])
  })

  it('does not keep reminders for long when its clock was an hour ahead', async () => {
    const { reminder } = await reminded(newUser())
    minutesPast8(65)
    await claimAndDie()
    await tickPast8(5)
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('between the commit and anything after it has told once', async () => {
    const { reminder } = await reminded(newUser())
    minutesPast8(5)
    const publishing = {
      ...deps.publishing,
      wake: () => {
        throw new Error('killed')
      },
    }
    await expect(fireDue({ ...deps, publishing }, 'cron/sweep-reminders')).rejects.toThrow('killed')
    await tick()
    expect(await ledger(reminder.id)).toHaveLength(1)
  })
})

describe('a task that is closed while its reminder is due', () => {
  const closings: [string, object, (id: string) => [string, string]][] = [
    ['completed', {}, (id) => ['POST', `/api/tasks/${id}/complete`]],
    ['deleted', {}, (id) => ['DELETE', `/api/tasks/${id}`]],
    ['skipped', { recurrence_rule: 'daily' }, (id) => ['POST', `/api/tasks/${id}/skip`]],
  ]

  it.each(closings)('is told of before it is %s, and not after', async (_, input, request) => {
    const user = newUser()
    const { task, reminder } = await reminded(user, { priority: 'high', ...input })
    await tickPast8(5)
    await user.does(...request(task.id))
    await tickPast8(30)
    expect(await ledger(reminder.id)).toHaveLength(1)
    expect(await row(reminder.id)).toMatchObject({ fireAt: null, cancelledAt: expect.any(Date) as Date })
  })

  it.each(closings)('is never told of once it is %s', async (_, input, request) => {
    const user = newUser()
    const { task, reminder } = await reminded(user, input)
    minutesPast8(4)
    await user.does(...request(task.id))
    await tickPast8(5)
    expect([await ledger(reminder.id), await notifications(user)]).toEqual([[], []])
    expect(await row(reminder.id)).toMatchObject({ fireAt: null, cancelledAt: expect.any(Date) as Date })
  })

  it.each(closings)('is not told of when it is %s after the worker has looked', async (_, input, request) => {
    const user = newUser()
    const { task, reminder } = await reminded(user, input)
    minutesPast8(5)
    let isDone = false
    const between = async () => {
      if (!isDone) await user.does(...request(task.id))
      isDone = true
    }
    await fireDue(service.afterClaim(between), 'cron/sweep-reminders')
    expect([await ledger(reminder.id), await notifications(user)]).toEqual([[], []])
    expect(await row(reminder.id)).toMatchObject({ fireAt: null, cancelledAt: expect.any(Date) as Date })
    expect(await story(user)).toEqual(['reminder.cancelled'])
  })

  it.each(closings)(
    'is told of or not, never half, when it is %s at the same moment',
    async (_, input, request) => {
      const made = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const user = newUser()
          return { user, ...(await reminded(user, input)) }
        }),
      )
      minutesPast8(5)
      await Promise.all([tick(), ...made.map(({ user, task }) => user.does(...request(task.id)))])
      await tick()
      for (const { user, reminder } of made) {
        const lines = await ledger(reminder.id)
        const types = await story(user)
        expect(types.filter((type) => type === 'reminder.triggered')).toHaveLength(lines.length)
        expect((await row(reminder.id)).fireAt).toBeNull()
        if (lines.length === 0) expect(types).toEqual(['reminder.cancelled'])
      }
    },
  )

  it('is told of when something else about it changed meanwhile', async () => {
    const user = newUser()
    const { task, reminder } = await reminded(user)
    minutesPast8(5)
    let edits = 0
    const between = async () => {
      if ((edits += 1) <= 3) await user.does('PATCH', `/api/tasks/${task.id}`, { title: `Edit ${edits}` })
    }
    expect(await fireDue(service.afterClaim(between), 'cron/sweep-reminders')).toBe(1)
    expect(await ledger(reminder.id)).toHaveLength(1)
    expect(await notifications(user)).toMatchObject([{ title: 'Edit 3' }])
  })

  it('that never stops changing is left to the next sweep, and told of then', async () => {
    const user = newUser()
    const { task, reminder } = await reminded(user)
    minutesPast8(5)
    let edits = 0
    const between = async () => {
      edits += 1
      await user.does('PATCH', `/api/tasks/${task.id}`, { title: `Edit ${edits}` })
    }
    expect(await fireDue(service.afterClaim(between), 'cron/sweep-reminders')).toBe(0)
    expect([edits, await ledger(reminder.id)]).toEqual([5, []])
    await tickPast8(5, 31)
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('is gone altogether: its reminder is cancelled', async () => {
    const user = newUser()
    const reminder = await remind(user, { id: systemIds.uuid() })
    await tickPast8(5)
    expect([await story(user), await ledger(reminder.id)]).toEqual([['reminder.cancelled'], []])
  })
})

describe('a reminder that changes while it is due', () => {
  it('is not told when it is put off after the worker has looked', async () => {
    const user = newUser()
    const { reminder } = await reminded(user)
    minutesPast8(5)
    const between = (due: DueReminder[]) =>
      due.length > 0
        ? sql`update reminders set fire_at = '2026-03-02T10:00Z', snoozed_until = '2026-03-02T10:00Z',
            version = version + 1, lease_until = null where id = ${reminder.id}`
        : Promise.resolve()
    expect(await fireDue(service.afterClaim(between), 'cron/sweep-reminders')).toBe(0)
    expect(await ledger(reminder.id)).toEqual([])
    await tickAt('10:00:00')
    expect(await ledger(reminder.id)).toMatchObject([
      { fire_at: new Date('2026-03-02T10:00:00Z'), late: false },
    ])
  })

  it('follows a due time that has moved without it', async () => {
    const user = newUser()
    const { task, reminder } = await reminded(user, {}, { offsetMinutes: 55 })
    await sql`update tasks set due_at = '2026-03-02T11:00Z' where id = ${task.id}`
    await tickPast8(5)
    expect([await ledger(reminder.id), await story(user)]).toEqual([[], ['reminder.rescheduled']])
    await tickAt('10:05:00')
    expect(await ledger(reminder.id)).toMatchObject([{ fire_at: new Date('2026-03-02T10:05:00Z') }])
  })

  it('is told once when the answer to the commit is lost', async () => {
    const user = newUser()
    const { reminder } = await reminded(user)
    minutesPast8(5)
    const commit = async (change: Parameters<typeof deps.changes.commit>[0]): Promise<CommitResult> => {
      await deps.changes.commit(change)
      throw new Error('connection lost')
    }
    await expect(
      fireDue({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-reminders'),
    ).rejects.toThrow('failed to fire 1 reminders')
    await tickPast8(6)
    expect([await ledger(reminder.id), await story(user)]).toMatchObject([[{ late: false }], TOLD])
  })
})

it('the sweep is for the sidecar only', async () => {
  const answer = await service.app.request('/dapr/cron/sweep-reminders-cron', { method: 'POST' })
  expect(answer.status).toBe(401)
})
