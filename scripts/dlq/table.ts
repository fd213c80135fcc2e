import type { DeadLetter } from '../../shared/app/outbox/ports.ts'

const MAX_REASON_LENGTH = 120

/** One line per letter under a heading. Nothing of what is in the letter: it has titles and addresses in it. */
export function table(letters: readonly DeadLetter[], now: Date): string[] {
  const heading = ['id', 'state', 'age', 'times', 'type', 'consumer', 'user', 'reason']
  const rows = letters.map((letter) => [
    letter.id,
    letter.state,
    ageOf(letter.receivedAt, now),
    String(letter.times),
    letter.type,
    letter.consumer,
    letter.userId ?? '-',
    shortened(letter.reason),
  ])
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...rows].map((row) => (row[column] ?? '').length)),
  )
  return [heading, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const shortened = (reason: string): string =>
  reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason

/** In the largest unit that fits: 12s, 5m, 3h, 9d. */
function ageOf(since: Date, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
