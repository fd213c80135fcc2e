import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const PAUSE_MS = 50

/** A process that a pid file names; `started` tells it from a later process with the same number. */
interface Claim {
  pid: number
  started: string
}

/** Writes which process works in a folder: its pid and, where the system tells it, when it began. */
export function writePidFile(path: string, pid: number): void {
  writeFileSync(path, `${JSON.stringify({ pid, started: startOf(pid) } satisfies Claim)}\n`)
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true })
}

/** The pid in the file if that very process still lives. */
export function livingPid(path: string): number | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const claim = readClaim(text)
  return claim && isAlive(claim.pid) && startOf(claim.pid) === claim.started ? claim.pid : undefined
}

/** Sends SIGTERM to the process in the file, SIGKILL after `graceMs`; resolves with its pid once it is gone. */
export async function stopByPidFile(path: string, graceMs: number): Promise<number | undefined> {
  const pid = livingPid(path)
  if (pid === undefined) return undefined
  signal(pid, 'SIGTERM')
  const limit = AbortSignal.timeout(graceMs)
  while (livingPid(path) === pid) {
    if (limit.aborted) signal(pid, 'SIGKILL')
    await delay(PAUSE_MS)
  }
  removePidFile(path)
  return pid
}

/** A process that is gone by now needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** What is not a claim was not written to its end: whoever wrote it did not get to work. */
function readClaim(text: string): Claim | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Partial<Claim>
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Field 22 of /proc/<pid>/stat (proc(5)). A zombie counts as gone unless it has threads left (field 20): of a killed
 * program with many the first may end before those that still hold its ports and files. Systems without /proc have ps
 * tell the time.
 */
function startOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields[0] === 'Z' && Number(fields[17]) <= 1 ? 'gone' : (fields[19] ?? '')
  } catch {
    return (
      spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() || 'gone'
    )
  }
}
