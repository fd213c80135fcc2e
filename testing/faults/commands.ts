import type { World } from './world.ts'

/** What a client asks for. */
export interface Command {
  name: string
  userId: string
  method: 'POST' | 'PATCH' | 'DELETE'
  path: string
  body?: object
  /** Version for If-Match. */
  ifMatch?: number
}

interface KnownTask {
  id: string
  version: number
  is_open: boolean
  is_completed: boolean
  is_deleted: boolean
  is_recurring: boolean
  is_below: boolean
  due_at: Date | null
}

const RULES = [
  'daily',
  'weekly',
  'weekdays',
  'monthly',
  'FREQ=DAILY;INTERVAL=3',
  'FREQ=WEEKLY;BYDAY=MO,TH',
  'FREQ=DAILY;COUNT=3',
  'FREQ=WEEKLY;COUNT=2',
  'FREQ=DAILY;UNTIL=20260401T120000Z',
]
const ZONES = ['Europe/Berlin', 'Europe/Berlin', 'UTC', 'America/New_York']
const TAGS = [[], ['home'], ['Home', 'garden'], ['work']]
const MAX_SERIES = 3
const HOUR_MS = 3_600_000

/** What there is to draw from. */
export type CommandSource = Pick<World, 'random' | 'sql' | 'now'> & {
  scheduler: Pick<World['scheduler'], 'outside'>
}

/** Draws what a user does next, from what there is: mostly completing, and now and then everything that cuts across it. */
export async function drawCommand(world: CommandSource, userId: string): Promise<Command> {
  const { random, sql } = world
  const tasks = await world.scheduler.outside(
    () => sql<KnownTask[]>`
      select id, version, due_at, completed_at is not null as is_completed, deleted_at is not null as is_deleted,
        completed_at is null and deleted_at is null as is_open, recurrence_rule is not null as is_recurring,
        parent_id is not null as is_below
      from tasks where user_id = ${userId} order by id`,
  )
  const open = tasks.filter((task) => task.is_open)
  const live = open.filter((task) => task.is_recurring)
  const below = open.filter((task) => task.is_below)
  if (open.length > 0 && random.chance(0.08)) return createBelow(world, userId, random.pick(open))
  if (tasks.length === 0 || (live.length < MAX_SERIES && random.chance(0.06))) return create(world, userId)

  /** Mostly one that fits; now and then any, which is to be refused or changes nothing. */
  const target = (fitting: readonly KnownTask[]) =>
    random.pick(fitting.length > 0 && random.chance(0.95) ? fitting : tasks)
  const on = (
    task: KnownTask,
    name: string,
    rest: Omit<Command, 'name' | 'userId' | 'path'>,
    path = '',
  ): Command => ({
    name,
    userId,
    path: `/api/tasks/${task.id}${path}`,
    ...rest,
    ...(random.chance(0.2) && { ifMatch: task.version }),
  })
  const post = (name: string, fitting: readonly KnownTask[]) =>
    on(target(fitting), name, { method: 'POST' }, `/${name}`)

  const roll = random.below(100)
  if (roll < 5) return post('complete', below)
  if (roll < 50) return post('complete', live)
  if (roll < 60) return post('skip', live)
  if (roll < 72) {
    const completed = tasks.filter((task) => task.is_completed && !task.is_deleted)
    return post('reopen', completed)
  }
  if (roll < 77) return on(target(random.chance(0.3) ? below : live), 'delete', { method: 'DELETE' })
  if (roll < 83) {
    const deleted = tasks.filter((task) => task.is_deleted)
    return post('restore', deleted)
  }
  const task = target(live.length > 0 ? live : open)
  const { name, scope, body } = drawEdit(world, task)
  return on(task, name, { method: 'PATCH', body }, `?scope=${scope}`)
}

function drawEdit(world: CommandSource, task: KnownTask): { name: string; scope: string; body: object } {
  const { random } = world
  const hours = random.pick([-30, -3, 2, 24, 50])
  const later = new Date((task.due_at?.getTime() ?? world.now) + hours * HOUR_MS).toISOString()
  return random.pick([
    { name: 'retitle', scope: 'this', body: { title: `renamed ${world.now}` } },
    {
      name: 'retitle all',
      scope: 'all',
      body: { title: `all renamed ${world.now}`, tags: random.pick(TAGS) },
    },
    { name: 'retitle future', scope: 'future', body: { title: `from now on ${world.now}` } },
    { name: 'move', scope: 'this', body: { due_at: later } },
    { name: 'move future', scope: 'future', body: { due_at: later } },
    { name: 'change rule', scope: 'this', body: { recurrence_rule: random.pick(RULES) } },
    { name: 'end series', scope: 'this', body: { recurrence_rule: null } },
    { name: 'repeat from', scope: 'this', body: { repeat_from: random.pick(['due', 'completion']) } },
  ])
}

function createBelow(world: CommandSource, userId: string, { id }: KnownTask): Command {
  const body = { title: `part ${world.now}`, parent_id: id, tags: world.random.pick(TAGS) }
  return { name: 'create', userId, method: 'POST', path: '/api/tasks', body }
}

function create(world: CommandSource, userId: string): Command {
  const { random } = world
  const day = new Date(world.now + random.pick([-3, 0, 1, 2, 11]) * 24 * HOUR_MS).toISOString().slice(0, 10)
  // 00:30Z and 01:30Z are half past two in Berlin: the time that the clocks leave out in March and repeat in October.
  const time = random.pick(['00:30', '01:30', '09:00'])
  const due = random.chance(0.2) ? { due_date: day } : { due_at: `${day}T${time}:00.000Z` }
  const body = {
    title: 'water the plants',
    recurrence_rule: random.pick(RULES),
    time_zone: random.pick(ZONES),
    tags: random.pick(TAGS),
    ...due,
    repeat_from: random.pick(['due', 'due', 'completion']),
  }
  return { name: 'create', userId, method: 'POST', path: '/api/tasks', body }
}
