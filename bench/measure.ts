import autocannon, { type Request } from 'autocannon'

export interface Figures {
  name: string
  connections: number
  perSecond: number
  p50: number
  p95: number
  p99: number
  worst: number
  failed: number
}

/** So long V8 goes on compiling what a create takes, from its route to the consumers of its events. */
const WARM_UP_SECONDS = 5

/**
 * Requests as fast as `connections` clients can send them, for `seconds` after a warm-up that does not count; latencies
 * in milliseconds.
 */
export async function measure(
  name: string,
  load: { url: string; connections: number; seconds: number; next: () => Request },
): Promise<Figures> {
  const shoot = (duration: number) =>
    autocannon({
      url: load.url,
      connections: load.connections,
      duration,
      requests: [{ setupRequest: (request) => ({ ...request, ...load.next() }) }],
    })
  await shoot(WARM_UP_SECONDS)
  const latencies: number[] = []
  const run = shoot(load.seconds)
  void run.on('response', (_client: unknown, _status: number, _bytes: number, tookMs: number) => {
    latencies.push(tookMs)
  })
  const result = await run
  const failed = result.non2xx + result.errors
  return figuresOf(name, { connections: load.connections, seconds: result.duration, latencies, failed })
}

/** Rate and percentiles of what took `latencies` (in milliseconds) within `seconds`. */
export function figuresOf(
  name: string,
  measured: { connections: number; seconds: number; latencies: readonly number[]; failed: number },
): Figures {
  const { connections, seconds, latencies, failed } = measured
  const sorted = Float64Array.from(latencies).toSorted()
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  const perSecond = Math.round(latencies.length / seconds)
  return { name, connections, perSecond, p50: at(0.5), p95: at(0.95), p99: at(0.99), worst: at(1), failed }
}

const round = (value: number): number => Math.round(value * 10) / 10
