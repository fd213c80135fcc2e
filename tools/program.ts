import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from './find-program.ts'
import { findTakenPort } from './ports.ts'
import { ProgramError } from './program-error.ts'
import { describeEnd, readFrom, worstLine, type End } from './program-log.ts'
import { systemEnvironment } from '../shared/config.ts'
import { ownFolder } from '../shared/private-folder.ts'

const READY_PAUSE_MS = 50
const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 20_000
const APPEND_TO_OUR_OWN = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW

export interface Program {
  readonly pid: number
  /** Resolves when the process is gone, however it ended. */
  readonly exited: Promise<End>
  /** SIGTERM, and SIGKILL when it has not ended after `graceMs`. Resolves when it is gone; twice does no harm. */
  stop(): Promise<void>
  /** SIGKILL, as a crash would end it. Resolves when it is gone. */
  kill(): Promise<void>
  /** What it wrote since this start, at most the last megabyte. */
  log(): string
}

export interface ProgramSpec {
  /** As a person calls it: "Kafka". */
  name: string
  command: string
  args: readonly string[]
  /** Says what to install or run when the command does not exist. */
  whenMissing: string
  cwd?: string
  /** All that it reads besides what any program needs of the system; of our own environment it sees nothing more. */
  env?: Record<string, string | undefined>
  /** Standard output and errors are appended to it. */
  logFile: string
  /** Ports on 127.0.0.1 that must be free before the start. */
  ports: readonly number[]
  /** Asked again and again until true; a rejection counts as "not yet". */
  isReady(program: { log(): string }): Promise<boolean>
  /** Called as soon as the process exists, before it is ready. */
  onSpawn?(pid: number): void
  readyLimitMs?: number
  graceMs?: number
}

/**
 * Starts a program and resolves when it is ready. It leads a process group of its own, so Ctrl-C reaches us and we stop
 * the parts in order. It does not outlive this process: an exit of ours kills it, and on Linux the kernel does so even
 * after a SIGKILL of ours (PR_SET_PDEATHSIG, by setpriv(1)); elsewhere a SIGKILL leaves it running.
 * Throws {@link ProgramError}, and then nothing is left running.
 */
export async function startProgram(spec: ProgramSpec): Promise<Program> {
  const command = findProgram(spec.command)
  if (command === undefined) {
    throw new ProgramError('program.missing', `${spec.name} cannot be started: ${spec.whenMissing}`)
  }
  const taken = await findTakenPort(spec.ports)
  if (taken !== undefined) {
    throw new ProgramError(
      'port.in_use',
      `${spec.name} needs port ${taken}, which is in use; stop what listens there or choose another port.`,
    )
  }
  const program = await launch(spec, command)
  const limit = AbortSignal.timeout(spec.readyLimitMs ?? READY_LIMIT_MS)
  while (!limit.aborted) {
    if (await spec.isReady(program).catch(() => false)) return program
    const end = await Promise.race([program.exited, delay(READY_PAUSE_MS)])
    if (end) {
      const reason = worstLine(program.log()) ?? describeEnd(end)
      throw new ProgramError('program.ended', `${spec.name} did not start: ${reason} (log: ${spec.logFile})`)
    }
  }
  await program.kill()
  const last = worstLine(program.log()) ?? 'it wrote nothing'
  throw new ProgramError(
    'program.not_ready',
    `${spec.name} did not get ready: ${last} (log: ${spec.logFile})`,
  )
}

async function launch(spec: ProgramSpec, path: string): Promise<Program> {
  ownFolder(dirname(spec.logFile))
  const descriptor = openSync(spec.logFile, APPEND_TO_OUR_OWN, 0o600)
  const from = fstatSync(descriptor).size
  const [command, ...args] = [...dieWithUs(), path, ...spec.args] as [string, ...string[]]
  const child = spawn(command, args, {
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    env: { ...systemEnvironment(), ...spec.env },
    stdio: ['ignore', descriptor, descriptor],
    detached: true,
  })
  closeSync(descriptor)
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid!))
    child.once('error', reject)
  })
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  spec.onSpawn?.(pid)
  const exited = new Promise<End>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', killWithUs)
      resolve({ code, signal })
    })
  })
  return { pid, exited, ...endings(child, exited, spec.graceMs), log: () => readFrom(spec.logFile, from) }
}

/** The words before a command by which Linux ends it when we are gone. */
function dieWithUs(): string[] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL']
}

function endings(child: ChildProcess, exited: Promise<End>, graceMs = STOP_LIMIT_MS) {
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  const stop = async () => {
    child.kill('SIGTERM')
    const cancel = new AbortController()
    const grace = delay(graceMs, 'late', { signal: cancel.signal }).catch(() => 'cancelled')
    const first = await Promise.race([exited, grace])
    cancel.abort()
    if (first === 'late') await kill()
  }
  return { kill, stop }
}
