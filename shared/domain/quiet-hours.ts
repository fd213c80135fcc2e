import { Temporal } from 'temporal-polyfill'
import type { QuietHours } from './notification-preferences.ts'
import { instantToWall, wallToInstant } from './wall-clock.ts'

/**
 * When the quiet hours that an instant lies in end; null when it lies in none. Hours that cross midnight belong to the day
 * on which they begin. By the clocks on the wall: on the night of a change they are an hour longer or shorter.
 */
export function quietUntil(quiet: QuietHours | null, timeZone: string, now: Date): Date | null {
  if (!quiet || quiet.start === quiet.end) return null
  const wall = instantToWall(now, timeZone)
  const today = Temporal.PlainDate.from(wall.slice(0, 10))
  for (const day of [today.subtract({ days: 1 }), today]) {
    const lastDay = quiet.end > quiet.start ? day : day.add({ days: 1 })
    const start = wallToInstant(`${day.toString()}T${quiet.start}`, timeZone)
    const end = wallToInstant(`${lastDay.toString()}T${quiet.end}`, timeZone)
    if (now >= start && now < end) return end
  }
  return null
}
