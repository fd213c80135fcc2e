import { linkSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { livingPid, writePidFile } from './pid-file.ts'

const PAUSE_MS = 500

/**
 * Runs `work` while no other process of this machine runs under the same lock file; `onWait` hears once of the one that
 * is waited for. A lock whose holder has died is taken over. Should two take over one at the same moment, both build:
 * slower, and harmless, because each puts its finished files in place by a rename.
 */
export async function withBuildLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: (pid: number) => void,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  for (let hasWaited = false; !tryLock(path); hasWaited = true) {
    const pid = livingPid(path)
    if (pid === undefined) rmSync(path, { force: true })
    else {
      if (!hasWaited) onWait(pid)
      await delay(PAUSE_MS)
    }
  }
  const release = () => rmSync(path, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

/** A link appears with its content, so nobody reads a lock that is half written. */
function tryLock(path: string): boolean {
  const draft = `${path}.${process.pid}`
  writePidFile(draft, process.pid)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}
