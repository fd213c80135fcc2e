import type { Command, CommandSource } from '../faults/commands.ts'

interface KnownTask {
  id: string
  version: number
  is_open: boolean
  is_completed: boolean
  is_deleted: boolean
  is_recurring: boolean
  due_at: Date | null
}

interface KnownReminder {
  id: string
  task_id: string
  version: number
  origin: string
  fire_at: Date | null
  is_gone: boolean
}

const MINUTE_MS = 60_000
const MAX_TASKS = 4
const CHANNELS = [
  undefined,
  undefined,
  null,
  ['in_app'],
  ['email'],
  ['in_app', 'email'],
  ['in_app', 'web_push'],
  ['mobile_push', 'webhook'],
  ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'],
]

/** Draws what a user does next: sets reminders, and whatever else decides about them. */
export async function drawReminderCommand(world: CommandSource, userId: string): Promise<Command> {
  const { random, sql } = world
  const { tasks, reminders } = await world.scheduler.outside(async () => {
    const [row] = await sql<{ tasks: KnownTask[] | null; reminders: KnownReminder[] | null }[]>`
      select (select jsonb_agg(to_jsonb(t) order by id) from (
          select id, version, due_at, completed_at is not null as is_completed, deleted_at is not null as is_deleted,
            completed_at is null and deleted_at is null as is_open, recurrence_rule is not null as is_recurring
          from tasks where user_id = ${userId}) t) as tasks,
        (select jsonb_agg(to_jsonb(r) order by id) from (
          select id, task_id, version, origin, fire_at, deleted_at is not null or cancelled_at is not null as is_gone
          from reminders where user_id = ${userId}) r) as reminders`
    return { tasks: row!.tasks ?? [], reminders: row!.reminders ?? [] }
  })
  const open = tasks.filter((task) => task.is_open)
  if (open.length === 0 || (open.length < MAX_TASKS && random.chance(0.15))) return createTask(world, userId)

  /** Mostly one that fits; now and then any, which is to be refused or changes nothing. */
  const among = <Row>(fitting: readonly Row[], all: readonly Row[]) =>
    random.pick(fitting.length > 0 && random.chance(0.95) ? fitting : all)
  const on = (
    row: { id: string; version: number },
    base: string,
    rest: Partial<Command>,
    path = '',
  ): Command => ({
    name: 'patch',
    userId,
    method: 'POST' as const,
    path: `${base}/${row.id}${path}`,
    ...rest,
    ...(random.chance(0.2) && { ifMatch: row.version }),
  })
  const task = (name: string, fitting: readonly KnownTask[]) =>
    on(among(fitting, tasks), '/api/tasks', { name }, `/${name}`)

  const live = reminders.filter((reminder) => !reminder.is_gone && reminder.origin !== 'task')
  const roll = random.below(100)
  if (roll < 30 || reminders.length === 0) {
    const target = among(open, tasks)
    const body = drawReminder(world)
    return { name: 'remind', userId, method: 'POST', path: `/api/tasks/${target.id}/reminders`, body }
  }
  if (roll < 40) {
    const known = among(live, reminders)
    return on(known, '/api/reminders', {
      name: 'change reminder',
      method: 'PATCH',
      body: drawReminder(world),
    })
  }
  if (roll < 44)
    return on(among(live, reminders), '/api/reminders', { name: 'drop reminder', method: 'DELETE' })
  if (roll < 51) {
    const minutes = random.pick([1, 5, 15, 90])
    const body = random.chance(0.5) ? { minutes } : { until: inMinutes(world, minutes) }
    return on(among(live, reminders), '/api/reminders', { name: 'snooze', body }, '/snooze')
  }
  if (roll < 58) return on(among(live, reminders), '/api/reminders', { name: 'acknowledge' }, '/acknowledge')
  if (roll < 70) return task('complete', open)
  if (roll < 76)
    return task(
      'reopen',
      tasks.filter((one) => one.is_completed && !one.is_deleted),
    )
  if (roll < 79)
    return task(
      'skip',
      open.filter((one) => one.is_recurring),
    )
  if (roll < 82) return on(among(open, tasks), '/api/tasks', { name: 'delete', method: 'DELETE' })
  if (roll < 86)
    return task(
      'restore',
      tasks.filter((one) => one.is_deleted),
    )
  return on(among(open, tasks), '/api/tasks', { name: 'edit', method: 'PATCH', body: drawEdit(world) })
}

const inMinutes = ({ now }: Pick<CommandSource, 'now'>, minutes: number): string =>
  new Date(now + minutes * MINUTE_MS).toISOString()

function drawReminder(world: CommandSource): object {
  const { random } = world
  const channels = random.pick(CHANNELS)
  const when = random.chance(0.5)
    ? { remind_at: inMinutes(world, random.pick([-20, 1, 2, 5, 30, 75, 700])) }
    : { offset_minutes: random.pick([0, 1, 10, 30, 60, 1440]) }
  return channels === undefined ? when : { ...when, channels }
}

function drawEdit(world: CommandSource): object {
  const { random } = world
  const later = inMinutes(world, random.pick([-30, 0, 3, 12, 61, 200, 1500]))
  return random.pick([
    { due_at: later },
    { due_at: later },
    { due_at: later },
    { due_at: null, due_date: null },
    { priority: 'high' },
    { priority: 'low' },
    { remind_at: later },
    { remind_at: later },
    { remind_at: null },
    { title: `renamed ${world.now}` },
    { due_at: null, due_date: later.slice(0, 10), time_zone: random.pick(['Europe/Berlin', 'UTC']) },
  ])
}

function createTask(world: CommandSource, userId: string): Command {
  const { random } = world
  const due = inMinutes(world, random.pick([-5, 3, 20, 45, 130, 1000, 1500]))
  const body = {
    title: 'water the plants',
    priority: random.pick(['low', 'medium', 'medium', 'high']),
    time_zone: random.pick(['Europe/Berlin', 'UTC', 'America/New_York']),
    ...(random.chance(0.15) ? { due_date: due.slice(0, 10) } : random.chance(0.9) ? { due_at: due } : {}),
    ...(random.chance(0.3) && { remind_at: inMinutes(world, random.pick([-5, 2, 10, 40])) }),
  }
  const isRecurring = random.chance(0.35) && ('due_at' in body || 'due_date' in body)
  const rule = isRecurring ? { recurrence_rule: random.pick(['daily', 'weekly', 'FREQ=DAILY;COUNT=2']) } : {}
  return { name: 'create', userId, method: 'POST', path: '/api/tasks', body: { ...body, ...rule } }
}
