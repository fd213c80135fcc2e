const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Milliseconds of a Go duration such as `1h30m`, `250ms` or `0`; null when the text is none. */
export function parseGoDuration(text: string): number | null {
  if (text === '0') return 0
  if (!/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return null
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * UNIT_MS[unit ?? '']!
  }
  return text.startsWith('-') ? -total : total
}

/** Milliseconds of a protobuf JSON duration: seconds with an `s`, as in `3s` or `0.5s`; null for anything else. */
export function parseProtoDuration(text: string): number | null {
  return /^-?\d+(?:\.\d{1,9})?s$/.test(text) ? Number(text.slice(0, -1)) * 1000 : null
}

/** The protobuf JSON text of a duration: seconds with no or three digits after the point. */
export function toProtoDuration(ms: number): string {
  return `${ms % 1000 === 0 ? ms / 1000 : (ms / 1000).toFixed(3)}s`
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)$/
const ISO_DURATION =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/

/**
 * The instant that a job's `dueTime` or `ttl` names: RFC 3339, or a Go or ISO 8601 duration after `base`; null when it
 * is neither. Fractions of a millisecond round up, because a job must never be early.
 */
export function parsePointInTime(text: string, base: Date): Date | null {
  const instant = RFC3339.exec(text)
  if (instant) {
    const ms = Date.parse(text)
    if (Number.isNaN(ms)) return null
    return new Date(/[1-9]/.test((instant[1] ?? '').slice(3)) ? ms + 1 : ms)
  }
  const duration = parseGoDuration(text)
  if (duration !== null) return new Date(base.getTime() + Math.ceil(duration))
  const parts = ISO_DURATION.exec(text)
  if (!parts) return null
  const [years, months, weeks, days, hours, minutes, seconds] = parts
    .slice(1)
    .map((part) => Number(part ?? 0))
  const moved = new Date(base)
  moved.setUTCFullYear(
    moved.getUTCFullYear() + years!,
    moved.getUTCMonth() + months!,
    moved.getUTCDate() + weeks! * 7 + days!,
  )
  return new Date(moved.getTime() + hours! * 3_600_000 + minutes! * 60_000 + seconds! * 1000)
}
