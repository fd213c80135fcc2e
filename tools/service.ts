import { join, resolve } from 'node:path'
import { livingPid, removePidFile, stopByPidFile, writePidFile } from './pid-file.ts'
import { startProgram, type Program, type ProgramSpec } from './program.ts'
import { ProgramError } from './program-error.ts'
import { privateFolder } from '../shared/private-folder.ts'

const STOP_LIMIT_MS = 30_000

/** A program that owns a folder: its data, its log and its pid file lie there. */
export interface ServiceSpec extends Omit<ProgramSpec, 'logFile'> {
  dataDir: string
}

/** Like {@link startProgram}, and refuses a folder in which the same service already runs. */
export async function startService({ dataDir, ...spec }: ServiceSpec): Promise<Program> {
  const root = prepareFolder(spec.name, dataDir)
  const pidFile = pidFileOf(root)
  const program = await startProgram({
    ...spec,
    logFile: join(root, 'server.log'),
    onSpawn: (pid) => writePidFile(pidFile, pid),
  })
  void program.exited.then(() => removePidFile(pidFile))
  return program
}

/**
 * Makes the folder, for its owner alone, and returns its full path; throws `program.already_runs` when a living process
 * owns it.
 */
export function prepareFolder(name: string, dataDir: string): string {
  const root = resolve(dataDir)
  privateFolder(root)
  const pid = livingPid(pidFileOf(root))
  if (pid === undefined) return root
  throw new ProgramError(
    'program.already_runs',
    `${name} already runs on ${root} (pid ${pid}); stop it first.`,
  )
}

/** Ends the service that runs on a folder; resolves with its pid, or undefined when none runs there. */
export async function stopService(dataDir: string): Promise<number | undefined> {
  return await stopByPidFile(pidFileOf(resolve(dataDir)), STOP_LIMIT_MS)
}

const pidFileOf = (root: string): string => join(root, 'server.pid')
