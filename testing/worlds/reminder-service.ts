import { beforeEach } from 'vitest'
import type { DueReminder } from '../../shared/app/reminders/ports.ts'
import type { Reminder } from '../../shared/domain/reminders/reminder.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { aReminder } from '../builders/a-reminder.ts'
import { aChange } from '../builders/a-task.ts'
import { asSidecar } from './compose-daybook.ts'
import { taskService, type Client } from './task-service.ts'

/** A line of the ledger, in the order in which they were written. */
interface Line {
  fire_at: Date
  channel: string
  state: string
  late: boolean
  delivered_at: Date | null
}

export const DUE = '2026-03-02T09:00:00.000Z'
export const REMIND_AT = '2026-03-02T08:05:00.000Z'

/** Call at the top of a file: writes of tasks, and the firing of their reminders, on one database and one clock. */
export async function reminderService(also: string[] = []) {
  const service = await taskService([
    'reminders/sweep-reminders',
    'reminders/fire-reminder',
    'reminders/schedule-reminder',
    ...also,
  ])
  const { sql, deps, app, jobs, scheduler } = service
  beforeEach(() => {
    jobs.clear()
    scheduler.isAway = false
  })

  /** A reminder of a task, at eight o'clock five, and of the user's preferences unless it says otherwise. */
  const remind = async (user: Client, task: Pick<TaskView, 'id'>, over: Partial<Reminder> = {}) => {
    const given = { remindAt: new Date(REMIND_AT), ...over }
    const reminder = aReminder({ ...given, userId: user.id, taskId: task.id })
    await deps.changes.commit(aChange(user.id, { newReminders: [reminder], events: [] }))
    return reminder
  }
  /** Calls as the sidecar does. */
  const call = async (path: string, body?: object) =>
    app.request(path, { method: 'POST', ...asSidecar, ...(body && { body: JSON.stringify(body) }) })
  const tick = async () => (await call('/dapr/cron/sweep-reminders-cron')).status
  return {
    ...service,
    call,
    remind,
    /** A task due at nine with a reminder. */
    reminded: async (user: Client, input?: object, over?: Partial<Reminder>) => {
      const task = await user.create({ due_at: DUE, ...input })
      return { task, reminder: await remind(user, task, over) }
    },
    tick,
    /** Ticks at a time of the second of March. */
    tickAt: async (time: string) => {
      service.at(`2026-03-02T${time}Z`)
      return tick()
    },
    /** The callback of a reminder's job; the scheduler forgets the job when it has succeeded. */
    callBack: async (reminderId: string) => {
      const name = `reminder-${reminderId}`
      const called = jobs.get(name)
      const { status } = await call(`/job/${name}`, {})
      if (status < 300 && jobs.get(name) === called) jobs.delete(name)
      return status
    },
    ledger: (reminderId: string) => sql<Line[]>`
      select fire_at, channel, state, late, delivered_at from deliveries
      where reminder_id = ${reminderId} order by fire_at, id`,
    /** The reminder's row as it is now. */
    row: async (reminderId: string) => {
      const [row] = await sql<Pick<Reminder, 'fireAt' | 'firedAt' | 'cancelledAt' | 'version'>[]>`
        select fire_at as "fireAt", fired_at as "firedAt", cancelled_at as "cancelledAt", version
        from reminders where id = ${reminderId}`
      return row!
    },
    /** What happened to reminders of the user, in order. */
    story: async (user: Client) =>
      (await user.events()).map(({ type }) => type).filter((type) => type.startsWith('reminder.')),
    notifications: (user: Client) => sql<{ title: string; late: boolean; seq: number | null }[]>`
      select title, late, seq from notifications where user_id = ${user.id} order by created_at, id`,
    /** Takes the place of the queue: `between` happens after a claim and before what it leads to. */
    afterClaim: (between: (due: DueReminder[]) => Promise<unknown>): typeof deps => {
      const real = deps.dueReminders
      const claimed = async (due: Promise<DueReminder[]>) => {
        const found = await due
        if (found.length > 0) await between(found)
        return found
      }
      const dueReminders = {
        ...real,
        claimDue: (claim: never) => claimed(real.claimDue(claim)),
        claimOne: (id: string, claim: never) => claimed(real.claimOne(id, claim)),
      }
      return { ...deps, dueReminders }
    },
  }
}
