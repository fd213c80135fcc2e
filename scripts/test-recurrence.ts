import { readFileSync } from 'node:fs'
import { readArguments } from '../shared/arguments.ts'
import { compareEngines, type Score } from '../testing/recurrence/compare.ts'
import { DIFFERENCES } from '../testing/recurrence/differences.ts'
import { ZONES } from '../testing/recurrence/rules.ts'

// `npm run test:recurrence`: generated rules against python-dateutil, rrule-temporal and rrule alone. See docs/recurrence.md.
const { values: options } = readArguments('npm run test:recurrence [-- --rules N --seed N]', {
  options: {
    rules: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '5545' },
  },
})
const say = (line: string) => console.log(line)
const versionOf = (name: string) =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }).version

const rules = Number(options.rules)
// The engines that run in this process take most of the time: in a short run they get every fourth rule.
const every = rules < 50_000 ? 4 : 1
const began = performance.now()
const scores = await compareEngines({
  rules,
  every,
  seed: Number(options.seed),
  versions: { rrule: versionOf('rrule'), 'rrule-temporal': versionOf('rrule-temporal') },
  say,
})
const seconds = Math.round((performance.now() - began) / 1000)
say(`${rules} rules over ${ZONES.length} zones in ${seconds} s, seed ${options.seed}`)
for (const score of scores) tell(score)
if (scores.some(({ unexplained }) => unexplained.length > 0)) process.exitCode = 1

function tell({ engine, version, compared, gaveUp, known, unexplained }: Score): void {
  if (version === null) {
    say(`${engine}: not compared; install it as python3-dateutil or by pip install python-dateutil`)
    return
  }
  const same = compared - [...known.values()].reduce((sum, n) => sum + n, 0) - unexplained.length
  say(
    `${engine} ${version}: ${same} of ${compared} the same${gaveUp > 0 ? `, ${gaveUp} as far as it came` : ''}`,
  )
  for (const { id, engine: of, why } of DIFFERENCES) {
    if (of === engine && known.has(id)) say(`  ${known.get(id)} ${why}`)
  }
  if (unexplained.length > 0) say(`  ${unexplained.length} UNEXPLAINED`)
  for (const one of unexplained.slice(0, 20)) say(`    ${one}`)
}
