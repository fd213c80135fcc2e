import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import { drawCommand, type CommandSource } from '../faults/commands.ts'
import { createRandom, type Random } from '../faults/random.ts'
import { drawReminderCommand } from '../reminder-faults/commands.ts'
import { anEvent, aChange } from '../builders/a-task.ts'
import { APP_TOKEN, asSidecar } from '../worlds/compose-daybook.ts'
import type { Client, TaskService } from '../worlds/task-service.ts'

const MINUTE_MS = 60_000
const TOPICS = ['task-events', 'reminders', 'notification-events']
const SWEEPS = ['sweep-reminders', 'sweep-deliveries', 'sweep-series', 'follow-zones']
const SETTINGS = [
  {},
  { quiet_hours: { start: '22:00', end: '07:00' } },
  { quiet_hours: { start: '06:00', end: '20:00' }, time_zone: 'Asia/Tokyo' },
  { daily_digest: { at: '08:00' }, time_zone: 'America/New_York' },
  {
    channels: { notice: ['email'], reminder: ['in_app', 'webhook'] },
    webhook_url: 'https://hooks.example.org/a?key=x',
  },
  { webhook_url: 'https://hooks.example.org/b', time_zone: 'Europe/Berlin', default_reminder_minutes: null },
]

/** What the functions of a history need beside those of tasks. */
export const FUNCTIONS_OF_HISTORY = [
  'recurrence/sweep-series',
  'reminders/add-reminder',
  'reminders/edit-reminder',
  'reminders/remove-reminder',
  'reminders/snooze-reminder',
  'reminders/acknowledge-reminder',
  'reminders/sweep-reminders',
  'reminders/schedule-reminder',
  'reminders/add-default-reminder',
  'notifications/set-preferences',
  'notifications/read-notification',
  'notifications/read-all-notifications',
  'notifications/deliver-notifications',
  'notifications/sweep-deliveries',
  'tasks/follow-zones',
]

interface Living {
  service: TaskService
  user: Client
  random: Random
}

/** Where the user is, as the gateway tells it. */
export const CLIENT = { client_ip: '203.0.113.9', user_agent: 'history/1' }
const FROM_CLIENT = {
  'dapr-api-token': APP_TOKEN,
  'x-forwarded-for': CLIENT.client_ip,
  'user-agent': CLIENT.user_agent,
}

/** A life of so many commands of a user, all of it by seed, with consumers, jobs and cron functions at work in between. */
export async function live(
  service: TaskService,
  user: Client,
  seed: number,
  commands: number,
): Promise<void> {
  const random = createRandom(seed)
  const { clock, broker, channels, deps, app } = service
  broker.deliver = async (topic, event) => {
    if (!TOPICS.includes(topic)) return
    const body = JSON.stringify(event)
    await app.request(`/dapr/events/${topic}`, { method: 'POST', body, ...asSidecar })
  }
  channels.answer = () =>
    random.pick([
      { outcome: 'delivered' },
      { outcome: 'delivered' },
      { outcome: 'failed', reason: 'nobody there' },
      { outcome: 'refused', reason: 'not wanted' },
    ])
  for (let step = 0; step < commands; step += 1) {
    await act({ service, user, random })
    clock.advance(random.pick([0, 1, 1, 10, 45, 180, 1200]) * MINUTE_MS)
    if (random.chance(0.7)) await publishPending(deps)
    for (const sweep of SWEEPS) {
      if (random.chance(0.5)) await app.request(`/dapr/cron/${sweep}-cron`, { method: 'POST', ...asSidecar })
    }
  }
  await publishPending(deps)
}

async function act({ service, user, random }: Living): Promise<void> {
  const send: Client['send'] = (method, path, body, headers) =>
    user.send(method, path, body, { ...FROM_CLIENT, ...headers })
  const { sql, clock, deps } = service
  const source: CommandSource = {
    random,
    sql,
    now: clock.now().getTime(),
    scheduler: { outside: (work) => work() },
  }
  const roll = random.below(100)
  if (roll < 70) {
    const draw = roll < 35 ? drawCommand : drawReminderCommand
    const { method, path, body, ifMatch } = await draw(source, user.id)
    await send(method, path, body, ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` })
  } else if (roll < 76) {
    await send('PUT', '/api/notifications/preferences', random.pick(SETTINGS))
  } else if (roll < 82) {
    const data = {
      title: 'Your export is ready',
      body: '',
      task_id: null,
      actor: { type: 'system', id: 'test' },
    }
    const event = anEvent({
      type: 'notification.requested',
      dataversion: '2.0',
      source: '/services/test',
      time: clock.now(),
      data,
    })
    await deps.changes.commit(aChange(user.id, { events: [event] }))
  } else if (roll < 88) {
    const [unread] = await sql<{ id: string }[]>`
      select id from notifications where user_id = ${user.id} and seq is not null and read_at is null order by id limit 1`
    if (unread) await send('POST', `/api/notifications/${unread.id}/read`)
  } else if (roll < 90) {
    await send('POST', '/api/notifications/read-all')
  } else if (roll < 94) {
    const due_at = new Date(clock.now().getTime() + 100 * MINUTE_MS).toISOString()
    const rule = random.chance(0.5) ? { recurrence_rule: 'daily' } : {}
    await send('POST', '/api/tasks', { title: 'afloat', time_zone: 'floating', due_at, ...rule })
  } else {
    const tasks = await sql<{ id: string }[]>`
      select id from tasks where user_id = ${user.id} and deleted_at is null order by id`
    if (tasks.length < 2) return
    const [task, other] = [random.pick(tasks).id, random.pick(tasks).id]
    await send('POST', '/api/tasks/reorder', { task_id: task, before: other })
  }
}
