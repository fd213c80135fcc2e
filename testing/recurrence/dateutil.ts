import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { LIMIT, throughOf, type Answer } from './engines.ts'
import { withoutClamp, type RuleCase } from './rules.ts'

const PROGRAM = fileURLToPath(new URL('dateutil_rules.py', import.meta.url))
const WITHOUT_DATEUTIL = 3

/** The answers of python-dateutil, in order, and its version; null where Python or dateutil is missing. */
export async function byDateutil(
  cases: readonly RuleCase[],
): Promise<{ version: string; answers: Answer[] } | null> {
  const python = spawn('python3', [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => {
    python.once('error', () => resolve(WITHOUT_DATEUTIL))
    python.once('exit', resolve)
  })
  // It may be gone before it has read all of this; its exit says why.
  python.stdin.on('error', () => undefined)
  python.stdin.end(cases.map((given) => `${JSON.stringify(questionOf(given))}\n`).join(''))
  const lines: string[] = []
  for await (const line of createInterface({ input: python.stdout })) lines.push(line)
  const code = await ended
  if (code === WITHOUT_DATEUTIL) return null
  if (code !== 0) throw new Error(`python3 ended with ${code}`)
  const [first, ...rest] = lines
  const { version } = JSON.parse(first!) as { version: string }
  return { version, answers: rest.map(answerOf) }
}

const questionOf = (given: RuleCase) => ({
  rule: withoutClamp(given),
  start: given.start,
  zone: given.timeZone,
  limit: LIMIT,
  through: throughOf(given),
})

function answerOf(line: string): Answer {
  const { gave_up: gaveUp, ...rest } = JSON.parse(line) as Answer & { gave_up: boolean }
  return { ...rest, gaveUp }
}
