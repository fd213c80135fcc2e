import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { systemEnvironment } from '../../shared/config.ts'
import { livingPid, stopByPidFile, writePidFile } from '../pid-file.ts'
import { ProgramError } from '../program-error.ts'
import { readFrom, worstLine } from '../program-log.ts'
import { place } from './places.ts'

const PAUSE_MS = 200
const READY_LIMIT_MS = 90_000
const STOP_LIMIT_MS = 20_000

export interface Daemon {
  name: string
  command: string
  args: readonly string[]
  env?: Record<string, string>
  /** Asked again and again until true; a rejection counts as "not yet". */
  isReady(): Promise<boolean>
}

/** Starts a program that outlives this process, unless it runs already, and resolves when it is ready. */
export async function startDaemon({ name, command, args, env, isReady }: Daemon): Promise<void> {
  for (const folder of ['run', 'log']) mkdirSync(place(folder), { recursive: true })
  if (livingPid(pidFile(name)) === undefined) {
    const descriptor = openSync(logFile(name), 'w')
    const child = spawn(command, args, {
      cwd: place(),
      env: { ...systemEnvironment(), ...env },
      stdio: ['ignore', descriptor, descriptor],
      detached: true,
    })
    closeSync(descriptor)
    await once(child, 'spawn')
    writePidFile(pidFile(name), child.pid!)
    child.unref()
  }
  const limit = AbortSignal.timeout(READY_LIMIT_MS)
  while (!(await isReady().catch(() => false))) {
    const isGone = livingPid(pidFile(name)) === undefined
    if (isGone || limit.aborted) {
      const reason = worstLine(readFrom(logFile(name), 0)) ?? 'it wrote nothing'
      throw new ProgramError(
        isGone ? 'program.ended' : 'program.not_ready',
        `${name} ${isGone ? 'ended' : 'is not ready'}: ${reason} (log: ${logFile(name)})`,
      )
    }
    await delay(PAUSE_MS)
  }
}

/** Ends it by its pid; does nothing where it does not run. */
export async function stopDaemon(name: string, graceMs = STOP_LIMIT_MS): Promise<void> {
  await stopByPidFile(pidFile(name), graceMs)
}

export const isRunning = (name: string): boolean => livingPid(pidFile(name)) !== undefined

/** The daemons of which there is a pid file, with their pids; without where they have ended. */
export function daemons(): { name: string; pid: number | undefined }[] {
  return namesIn(place('run')).map((name) => ({ name, pid: livingPid(pidFile(name)) }))
}

function namesIn(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder)
    .filter((file) => file.endsWith('.pid'))
    .map((file) => file.replace('.pid', ''))
}

const pidFile = (name: string): string => place('run', `${name}.pid`)
const logFile = (name: string): string => place('log', `${name}.log`)
