import { setTimeout as delay } from 'node:timers/promises'
import type { PreferencesView } from '../../shared/domain/notifications/notification-preferences.ts'
import { CHANNELS, type Channel } from '../../shared/domain/notifications/notification.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { ReminderView } from '../../shared/domain/reminders/reminder.ts'
import type { Command } from '../faults/commands.ts'
import type { Random } from '../faults/random.ts'
import { ask, type Person } from './client.ts'

/** Mostly some time ahead; now and then so soon that it is due while the request is on its way. */
export const shortlyAhead = (random: Random): string =>
  new Date(Date.now() + (random.chance(0.1) ? 200 : 2000) + random.below(18_000)).toISOString()

const CHOICES: readonly (readonly Channel[] | null)[] = [
  null,
  null,
  ['in_app'],
  ['email'],
  ['webhook'],
  ['in_app', 'webhook'],
] as (Channel[] | null)[]
const REMIND = 'remind'
const ANSWERS_WITHIN_MS = 60_000

/** On which channels a firing of everybody here arrives: each has an address and a webhook, and no device. */
export const channelsOf = (wanted: readonly Channel[] | null): Channel[] =>
  (wanted ?? CHANNELS).filter((channel) => channel !== 'web_push' && channel !== 'mobile_push').toSorted()

const LASTING = 'call'
/** A task takes 20 reminders, so now and then there has to be another. */
const MIN_LASTING = 6
const ONE_MORE = 0.08

/** Tasks that mostly stay open, so that their reminders come; of the others, many are cancelled. */
export const isLasting = ({ title }: TaskView): boolean => title.startsWith(LASTING)

/** A reminder of one of these open tasks, or something done with one that was set before. */
export function drawReminder(person: Person, tasks: readonly TaskView[], random: Random): Command {
  const userId = person.id
  const known = remindersSetBy(person)
    .map(({ id }) => id)
    .slice(-10)
  if (known.length > 0 && random.chance(0.25)) {
    const path = `/api/reminders/${random.pick(known)}`
    return random.pick<Command>([
      { name: 'move reminder', userId, method: 'PATCH', path, body: { remind_at: shortlyAhead(random) } },
      {
        name: 'snooze',
        userId,
        method: 'POST',
        path: `${path}/snooze`,
        body: { until: shortlyAhead(random) },
      },
      { name: 'acknowledge', userId, method: 'POST', path: `${path}/acknowledge` },
    ])
  }
  const isPlain = tasks.every(({ recurrence_rule: rule }) => rule === null)
  const targets = isPlain ? tasks.filter(isLasting) : tasks
  const isScarce = isPlain && (targets.length < MIN_LASTING || random.chance(ONE_MORE))
  if (targets.length === 0 || isScarce) {
    const body = { title: `${LASTING} mother ${random.below(1000)}`, remind_at: shortlyAhead(random) }
    return { name: 'create', userId, method: 'POST', path: '/api/tasks', body }
  }
  const body = { remind_at: shortlyAhead(random), channels: random.pick(CHOICES) }
  return {
    name: REMIND,
    userId,
    method: 'POST',
    path: `/api/tasks/${random.pick(targets).id}/reminders`,
    body,
  }
}

/** What they were told when they set a reminder. */
export const remindersSetBy = ({ reports }: Person): ReminderView[] =>
  reports
    .filter(({ command, outcome }) => command.name === REMIND && outcome === 'accepted')
    .map(({ answers }) => JSON.parse(answers[0]!) as ReminderView)

/** Everything is to go to a webhook, too, which answers its first message. */
export async function giveWebhook(url: string, person: Person, hookUrl: string): Promise<void> {
  const path = '/api/notifications/preferences'
  const body = { webhook_url: hookUrl }
  const { status, text } = await ask(url, person, { method: 'PUT', path, body })
  if (status >= 300) throw new Error(`PUT ${path}: ${status} ${text}`)
  for (const end = Date.now() + ANSWERS_WITHIN_MS; Date.now() < end; await delay(100)) {
    const got = await ask(url, person, { method: 'GET', path })
    if ((JSON.parse(got.text) as PreferencesView).webhook_confirmed_at !== null) return
  }
  throw new Error('the webhook was not confirmed')
}
