import type { SeenPod } from './pods.ts'

interface Point {
  /** In ms since `begun`. */
  at: number
  count: number
}

/** How many pods were ready at which time. */
export function replicaCurve(pods: readonly SeenPod[], begun: number): Point[] {
  const steps = pods.flatMap(({ readyAt, endingAt, goneAt }) => {
    const end = endingAt ?? goneAt
    if (readyAt === undefined) return []
    return [{ at: readyAt, by: 1 }, ...(end === undefined ? [] : [{ at: end, by: -1 }])]
  })
  let count = 0
  return steps.toSorted((a, b) => a.at - b.at).map(({ at, by }) => ({ at: at - begun, count: (count += by) }))
}
