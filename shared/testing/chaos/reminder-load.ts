import { CHANNELS, type Channel } from '../../domain/notification.ts'
import type { ReminderView } from '../../domain/reminder.ts'
import type { Command } from '../faults/commands.ts'
import type { Random } from '../faults/random.ts'
import { ask, type Person } from './client.ts'

/** Mostly some time ahead; now and then so soon that it is due while the request is on its way. */
export const shortlyAhead = (random: Random): string =>
  new Date(Date.now() + (random.chance(0.1) ? 200 : 2000) + random.below(18_000)).toISOString()

const CHOICES: readonly (readonly Channel[] | null)[] = [
  ...[null, null, ['in_app'], ['email'], ['webhook'], ['in_app', 'webhook']],
] as (Channel[] | null)[]
const REMIND = 'remind'

/** On which channels a firing of everybody here arrives: each has an address and a webhook, and no device. */
export const channelsOf = (wanted: readonly Channel[] | null): Channel[] =>
  (wanted ?? CHANNELS).filter((channel) => channel !== 'web_push' && channel !== 'mobile_push').toSorted()

/** A reminder of one of these tasks, or something done with one that was set before. */
export function drawReminder(person: Person, tasks: readonly string[], random: Random): Command | null {
  const userId = person.id
  const known = remindersSetBy(person)
    .map(({ id }) => id)
    .slice(-10)
  if (known.length > 0 && random.chance(0.25)) {
    const path = `/api/reminders/${random.pick(known)}`
    return random.pick<Command>([
      { name: 'move reminder', userId, method: 'PATCH', path, body: { remind_at: shortlyAhead(random) } },
      {
        ...{ name: 'snooze', userId, method: 'POST', path: `${path}/snooze` },
        body: { until: shortlyAhead(random) },
      },
      { name: 'acknowledge', userId, method: 'POST', path: `${path}/acknowledge` },
    ])
  }
  if (tasks.length === 0) return null
  const body = { remind_at: shortlyAhead(random), channels: random.pick(CHOICES) }
  return { name: REMIND, userId, method: 'POST', path: `/api/tasks/${random.pick(tasks)}/reminders`, body }
}

/** What they were told when they set a reminder. */
export const remindersSetBy = ({ reports }: Person): ReminderView[] =>
  reports
    .filter(({ command, outcome }) => command.name === REMIND && outcome === 'accepted')
    .map(({ answers }) => JSON.parse(answers[0]!) as ReminderView)

/** Everything is to go to a webhook, too. */
export async function giveWebhook(url: string, person: Person, hookUrl: string): Promise<void> {
  const path = '/api/notifications/preferences'
  const body = { webhook_url: hookUrl }
  const { status, text } = await ask(url, person, { method: 'PUT', path, body })
  if (status >= 300) throw new Error(`PUT ${path}: ${status} ${text}`)
}
