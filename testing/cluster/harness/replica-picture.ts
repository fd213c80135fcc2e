import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { replicaCurve } from './replica-curve.ts'

const FILE = fileURLToPath(new URL('../../../docs/kubernetes/replicas.svg', import.meta.url))
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 200, 40, 30]

/** Draws the ready pods of a worker over time into the documentation. */
export function drawReplicas(curve: ReturnType<typeof replicaCurve>, caption: string): void {
  const endMs = curve.at(-1)?.at ?? 1
  const most = Math.max(...curve.map(({ count }) => count))
  const x = (at: number) => Math.round(LEFT + (at / endMs) * (WIDTH - LEFT - 10))
  const y = (count: number) => Math.round(HEIGHT - BOTTOM - (count / most) * (HEIGHT - BOTTOM - 30))
  const steps = curve.map(({ at, count }) => `H${x(at)} V${y(count)}`).join(' ')
  const label = (left: number, top: number, text: string | number, anchor = 'middle') =>
    `<text x="${left}" y="${top}" text-anchor="${anchor}">${text}</text>`
  const counts = Array.from({ length: most + 1 }, (_, count) => label(LEFT - 8, y(count) + 4, count, 'end'))
  const stepMs = Math.max(5000, Math.ceil(endMs / 40_000) * 5000)
  const times = Array.from({ length: Math.floor(endMs / stepMs) + 1 }, (_, nth) =>
    label(x(nth * stepMs), HEIGHT - 12, `${(nth * stepMs) / 1000} s`),
  )
  writeFileSync(
    FILE,
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
${label(LEFT, 16, caption, 'start')}
<path d="M${LEFT} ${y(0)} ${steps}" fill="none" stroke="#2563eb" stroke-width="2"/>
${[...counts, ...times].join('\n')}
</svg>
`,
  )
}
