/** Clocks on the wall by Intl alone, so that nothing of the product's own reckoning decides about itself. */
const MINUTE_MS = 60_000
const formats = new Map<string, Intl.DateTimeFormat>()

/** `YYYY-MM-DDTHH:MM:SS` as the clocks of a zone show it. */
export function wallOf(instant: number, timeZone: string): string {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(timeZone, format)
  }
  return format.format(instant).replace(' ', 'T')
}

/** The instant of a wall-clock time that exists once in its zone. */
export function instantOf(wall: string, timeZone: string): number {
  const wanted = Date.parse(`${wall}Z`)
  let instant = wanted
  for (let round = 0; round < 3; round += 1) {
    instant += wanted - Date.parse(`${wallOf(instant, timeZone)}Z`) - (instant % 1000)
  }
  return instant
}

/** The end of the quiet hours that an instant lies in, or null: minute after minute until the clock says so. */
export function endOfQuiet(
  quiet: { start: string; end: string } | null,
  timeZone: string,
  instant: number,
): number | null {
  if (!quiet) return null
  const isQuiet = (at: number) => {
    const time = wallOf(at, timeZone).slice(11, 16)
    return quiet.start < quiet.end
      ? time >= quiet.start && time < quiet.end
      : time >= quiet.start || time < quiet.end
  }
  if (!isQuiet(instant)) return null
  let at = Math.floor(instant / MINUTE_MS) * MINUTE_MS
  for (let minutes = 64; minutes >= 1; minutes /= 2)
    while (isQuiet(at + minutes * MINUTE_MS)) at += minutes * MINUTE_MS
  return at + MINUTE_MS
}
