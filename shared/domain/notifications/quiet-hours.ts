import { Temporal } from 'temporal-polyfill'
import type { QuietHours } from './notification-preferences.ts'
import { civilDate } from '../recurrence/wall-clock.ts'

/**
 * When the quiet hours that an instant lies in end; null when it lies in none. Hours that cross midnight belong to the day
 * on which they begin. Whenever the clocks on the wall show a time of theirs it is quiet: where the clocks go back over an
 * edge, from the first time that they show the start until the last time that they show the end.
 */
export function quietUntil(quiet: QuietHours | null, timeZone: string, now: Date): Date | null {
  if (!quiet || quiet.start === quiet.end) return null
  const today = Temporal.PlainDate.from(civilDate(now, timeZone))
  for (const day of [today.subtract({ days: 1 }), today]) {
    const lastDay = quiet.end > quiet.start ? day : day.add({ days: 1 })
    const start = edge(day, quiet.start, timeZone, 'earlier')
    const end = edge(lastDay, quiet.end, timeZone, 'later')
    // A change of the clocks may bring the next night so near that it follows at once.
    if (now >= start && now < end) return quietUntil(quiet, timeZone, end) ?? end
  }
  return null
}

/** An edge that a change of the clocks leaves out is where they change: before, they show less, and afterwards more. */
function edge(
  day: Temporal.PlainDate,
  time: string,
  timeZone: string,
  disambiguation: 'earlier' | 'later',
): Date {
  const wall = day.toPlainDateTime(time)
  const before = wall.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  const isLeftOut = !before.toPlainDateTime().equals(wall)
  const instant = isLeftOut
    ? before.getTimeZoneTransition('next')!
    : wall.toZonedDateTime(timeZone, { disambiguation })
  return new Date(instant.epochMilliseconds)
}
