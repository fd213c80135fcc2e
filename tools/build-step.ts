import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { findProgram } from './find-program.ts'
import { ProgramError } from './program-error.ts'
import { inheritedEnvironment } from '../shared/config.ts'

const REPORT_EVERY_MS = 10_000
const KEPT_LINES = 20

export interface BuildStep {
  /** What it makes: "daprd 1.18.2". */
  name: string
  command: string
  args: readonly string[]
  cwd: string
  env?: Record<string, string>
  whenMissing: string
  /** What the number of lines it printed so far stands for: "packages compiled". */
  counts?: string
}

/** Runs one step to its end and says every ten seconds how far it is; throws `build.failed` with its last words. */
export async function runBuildStep(step: BuildStep, say: (line: string) => void): Promise<void> {
  const command = findProgram(step.command)
  if (command === undefined) throw new ProgramError('program.missing', `${step.name}: ${step.whenMissing}`)
  const started = performance.now()
  const child = spawn(command, step.args, {
    cwd: step.cwd,
    env: { ...inheritedEnvironment(), ...step.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const endWithUs = () => child.kill('SIGTERM')
  process.once('exit', endWithUs)

  let lines = 0
  const last: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines += 1
      last.push(line)
      if (last.length > KEPT_LINES) last.shift()
    })
  }
  const progress = () => (step.counts === undefined ? '' : `, ${lines} ${step.counts}`)
  const timer = setInterval(() => say(`  ${step.name}: ${seconds(started)}${progress()}`), REPORT_EVERY_MS)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    if (code !== 0) {
      say(last.map((line) => `  | ${line}`).join('\n'))
      throw new ProgramError(
        'build.failed',
        `${step.name} could not be built (${signal ?? `exit code ${code}`}); see above.`,
      )
    }
  } finally {
    clearInterval(timer)
    process.off('exit', endWithUs)
  }
  say(`  ${step.name}: done in ${seconds(started)}${progress()}`)
}

const seconds = (since: number): string => `${Math.round((performance.now() - since) / 1000)} s`
