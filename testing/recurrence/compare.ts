import * as fc from 'fast-check'
import { byDateutil } from './dateutil.ts'
import { DIFFERENCES, isMixed, type Engine } from './differences.ts'
import { asStored, byDaybook, byRRuleAlone, byRRuleTemporal, LIMIT, type Answer } from './engines.ts'
import { anyCase, type RuleCase } from './rules.ts'

/** How an engine did beside Daybook's. */
export interface Score {
  engine: Engine
  /** Null where it is not on this machine. */
  version: string | null
  compared: number
  /** Of those, where it stopped searching: only what it had found was compared. */
  gaveUp: number
  /** Differences that docs/recurrence.md explains, by their id. */
  known: Map<string, number>
  unexplained: string[]
}

/** Rules worked out before the answers of Python, which come meanwhile, are let in. */
const TURN = 50

interface Run {
  rules: number
  seed: number
  /** Of how many rules one is given to the engines that run in this process, which take most of the time. */
  every: number
  versions: Record<'rrule' | 'rrule-temporal', string>
  say: (line: string) => void
}

/** Works out generated rules with every engine there is, and judges each difference. */
export async function compareEngines({ rules, seed, every, versions, say }: Run): Promise<Score[]> {
  const cases = fc.sample(anyCase, { numRuns: rules, seed }).map(asStored)
  const dateutil = byDateutil(cases)
  const ours: Answer[] = []
  const temporal = score('rrule-temporal', versions['rrule-temporal'])
  const alone = score('rrule', versions.rrule)
  for (const [index, given] of cases.entries()) {
    const answer = byDaybook(given)
    ours.push(answer)
    if (index % every === 0) {
      const theirs = byRRuleTemporal(given)
      if (theirs) judge(temporal, given, answer, theirs)
      const inUtc = { ...given, timeZone: 'UTC' }
      const plain = byDaybook(inUtc)
      // Where it finds little it searches until the year 9999, and cannot be stopped.
      if (plain.found.length === LIMIT && !isMixed(given.rule))
        judge(alone, inUtc, plain, byRRuleAlone(inUtc))
    }
    if (index % TURN === TURN - 1) await new Promise((resolve) => setImmediate(resolve))
    if ((index + 1) % 10_000 === 0) say(`${index + 1} rules`)
  }
  const told = await dateutil
  const referee = score('python-dateutil', told?.version ?? null)
  for (const [index, given] of cases.entries()) {
    if (told) judge(referee, given, ours[index]!, told.answers[index]!)
  }
  return [referee, temporal, alone]
}

const score = (engine: Engine, version: string | null): Score => ({
  engine,
  version,
  compared: 0,
  gaveUp: 0,
  known: new Map(),
  unexplained: [],
})

function judge(score: Score, given: RuleCase, ours: Answer, theirs: Answer): void {
  score.compared += 1
  if (theirs.gaveUp) score.gaveUp += 1
  const expected = theirs.gaveUp ? ours.found.slice(0, theirs.found.length) : ours.found
  if (expected.join() === theirs.found.join()) return
  const why = DIFFERENCES.find(
    ({ engine, applies }) => engine === score.engine && applies(given, ours, theirs),
  )
  if (why) score.known.set(why.id, (score.known.get(why.id) ?? 0) + 1)
  else score.unexplained.push(line(given, ours, theirs))
}

function line({ rule, start, timeZone, monthEnd }: RuleCase, ours: Answer, theirs: Answer): string {
  const at = ours.found.findIndex((instant, index) => instant !== theirs.found[index])
  const from = Math.max(0, at)
  const some = ({ found }: Answer) =>
    found
      .slice(from, from + 3)
      .map((instant) => new Date(instant).toISOString().slice(0, 16))
      .join(' ')
  return `${rule} from ${start} ${timeZone} ${monthEnd}, number ${from + 1}: ${some(ours)} | ${some(theirs)}`
}
