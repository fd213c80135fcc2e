import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { livingPid, removePidFile, stopByPidFile, writePidFile } from '../../tools/pid-file.ts'
import { ProgramError } from '../../tools/program-error.ts'
import { stopService } from '../../tools/service.ts'
import { ownFolder, privateFolder } from '../../shared/private-folder.ts'

const GRACE_MS = 5000
/** The SQLite file by which sidecars find each other. */
export const NAMES = 'names.db'
const SERVICES = ['kafka', 'redis', 'scheduler']

/** Not in run/, where PostgreSQL has its socket: under root that belongs to the user as which the server works. */
export const pidFolderOf = (dataDir: string): string => join(dataDir, 'pids')

/**
 * Takes the data folder for this process and ends what a killed predecessor left running there. Processes are known by
 * pid and time of start, so a number that went to another process is left alone. Returns how many were ended, and how to
 * let go. Throws `program.already_runs` while another Daybook has the folder.
 */
export async function claimFolder(dataDir: string): Promise<{ ended: number; release(): void }> {
  const pids = pidFolderOf(dataDir)
  ownFolder(dataDir)
  privateFolder(pids)
  privateFolder(join(dataDir, 'logs'))
  const own = join(dataDir, 'start-dapr.pid')
  const owner = livingPid(own)
  if (owner !== undefined) {
    throw new ProgramError(
      'program.already_runs',
      `Another Daybook is running on the data in ${dataDir} (pid ${owner}); stop it, or set DAYBOOK_DATA_DIR and PORT to others.`,
    )
  }
  writePidFile(own, process.pid)
  const files = readdirSync(pids).filter((file) => file.endsWith('.pid'))
  const ended = await Promise.all([
    ...files.map((file) => stopByPidFile(join(pids, file), GRACE_MS)),
    ...SERVICES.map((name) => stopService(join(dataDir, name))),
  ])
  for (const file of files) removePidFile(join(pids, file))
  forgetNames(dataDir)
  return {
    ended: ended.filter((pid) => pid !== undefined).length,
    release: () => removePidFile(own),
  }
}

/**
 * Where the sidecars of the last start were found. After a kill SQLite's log lies beside the file, and must go with it:
 * who opens a new file beside an old log deletes the log, perhaps when another already writes to it.
 */
function forgetNames(dataDir: string): void {
  for (const file of readdirSync(dataDir)) if (file.startsWith(NAMES)) rmSync(join(dataDir, file))
}
