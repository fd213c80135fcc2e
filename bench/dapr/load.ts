import { setTimeout as delay } from 'node:timers/promises'
import { figuresOf, type Figures } from '../measure.ts'

const WARM_UP_SECONDS = 1

/** `work` by as many at once as there are connections, again and again, for so many seconds after a warm-up. */
export async function asFastAs(
  name: string,
  { connections, seconds, work }: { connections: number; seconds: number; work: () => Promise<boolean> },
): Promise<Figures> {
  const latencies: number[] = []
  let failed = 0
  const start = performance.now() + WARM_UP_SECONDS * 1000
  const end = start + seconds * 1000
  const client = async () => {
    while (performance.now() < end) {
      const begun = performance.now()
      const isDone = await work()
      if (begun < start) continue
      if (isDone) latencies.push(performance.now() - begun)
      else failed += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  return figuresOf(name, { connections, seconds, latencies, failed })
}

/** Begins `work` so often a second, whether or not what was begun before has ended. */
export async function paced(
  perSecond: number,
  seconds: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  const started = performance.now()
  const begun: Promise<unknown>[] = []
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const wait = started + (index / perSecond) * 1000 - performance.now()
    if (wait > 1) await delay(wait)
    begun.push(work(index))
  }
  await Promise.all(begun)
}

/** Waits until `isSo`, at most so long; the answer is whether it came true. */
export async function until(isSo: () => boolean | Promise<boolean>, limitSeconds: number): Promise<boolean> {
  const end = performance.now() + limitSeconds * 1000
  while (!(await isSo())) {
    if (performance.now() > end) return false
    await delay(50)
  }
  return true
}
