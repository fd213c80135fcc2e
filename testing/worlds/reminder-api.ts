import { afterEach, expect } from 'vitest'
import type { ChangeStore } from '../../shared/app/ports.ts'
import type { Sql } from '../../shared/db/connect.ts'
import type { ReminderView, ReminderWithFirings } from '../../shared/domain/reminders/reminder.ts'
import type { Client } from './task-service.ts'
import { reminderService } from './reminder-service.ts'

/** Call at the top of a file. After each test every reminder must be as its task says. */
export async function reminderApi() {
  const service = await reminderService([
    'reminders/add-reminder',
    'reminders/list-reminders',
    'reminders/list-all-reminders',
    'reminders/suggest-reminders',
    'reminders/get-reminder',
    'reminders/edit-reminder',
    'reminders/remove-reminder',
    'reminders/snooze-reminder',
    'reminders/acknowledge-reminder',
  ])
  const { sql, deps } = service
  const real = deps.changes
  afterEach(async () => {
    Object.assign(deps, { changes: real })
    expect(await reminderDrift(sql)).toEqual([])
  })

  /** Sends a write about a reminder and expects a success; `action` is nothing or /snooze, /acknowledge. */
  const write = async (user: Client, method: string, path: string, body?: object) =>
    (await user.does(method, path, body)) as unknown as ReminderView
  return {
    ...service,
    write,
    /** Adds a reminder of a task and expects a success. */
    add: (user: Client, taskId: string, input: object) =>
      write(user, 'POST', `/api/tasks/${taskId}/reminders`, input),
    get: async (user: Client, id: string) =>
      (await write(user, 'GET', `/api/reminders/${id}`)) as ReminderWithFirings,
    list: async (user: Client, taskId: string) => {
      const { body } = await user.send('GET', `/api/tasks/${taskId}/reminders`)
      return (body as { items: ReminderView[] }).items
    },
    /** What happens once, right after the next load of this kind and before the commit that it leads to. */
    meanwhile: (load: 'loadTask' | 'loadReminder', work: () => Promise<unknown>) => {
      const after = async <T>(loaded: Promise<T>): Promise<T> => {
        const found = await loaded
        Object.assign(deps, { changes: real })
        await work()
        return found
      }
      const changes: ChangeStore = {
        ...real,
        ...(load === 'loadTask' && { loadTask: (...args) => after(real.loadTask(...args)) }),
        ...(load === 'loadReminder' && { loadReminder: (...args) => after(real.loadReminder(...args)) }),
      }
      Object.assign(deps, { changes })
    },
    /** Round trips to the database that changes take, by what they are for. */
    counted: async (work: () => Promise<unknown>) => {
      const calls: string[] = []
      const changes = new Proxy(real, {
        get: (store, name: keyof ChangeStore) => (calls.push(name), store[name]),
      })
      Object.assign(deps, { changes })
      await work()
      return calls
    },
  }
}

/** Reminders that are not as their tasks say: worked out anew, in SQL, from the rows alone. */
const reminderDrift = async (sql: Sql): Promise<string[]> => {
  const rows = await sql<{ fault: string }[]>`
    with of_tasks as (
      select r.*, t.remind_at as task_remind_at, t.completed_at is null and t.deleted_at is null as is_open,
        coalesce(t.due_at, (t.due_date + time '09:00') at time zone t.time_zone) as due
      from reminders r join tasks t on t.id = r.task_id)
    select 'a removed reminder fires: ' || id as fault from of_tasks
      where deleted_at is not null and fire_at is not null
    union all
    select 'a reminder of a closed task fires: ' || id from of_tasks where not is_open and fire_at is not null
    union all
    select 'a reminder of an open task is cancelled: ' || id from of_tasks
      where is_open and deleted_at is null and cancelled_at is not null
    union all
    select 'a relative reminder is somewhere else: ' || id from of_tasks
      where deleted_at is null and offset_minutes is not null
        and remind_at is distinct from due - offset_minutes * interval '1 minute'
    union all
    select 'the own reminder of a task is somewhere else: ' || id from of_tasks
      where deleted_at is null and origin = 'task' and remind_at is distinct from task_remind_at`
  return rows.map(({ fault }) => fault)
}
