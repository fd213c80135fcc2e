import { parseArgs } from 'node:util'

export const USAGE = `Usage: npm run dlq -- <command>

  list [--state open|replayed|discarded|all]   what consumers gave up on; open ones unless told otherwise
  show <id>                                    one of them whole, with the event as it came
  replay <id> | --all                          publishes the event again and tries failed deliveries anew
  discard <id>                                 settles it without doing anything

On the database of DATABASE_URL, else on the embedded one in DAYBOOK_DATA_DIR (.daybook), whether Daybook runs or not.
Exit status: 0 done, 1 not done, 2 not understood.`

const STATES = ['open', 'replayed', 'discarded', 'all'] as const

export type Command =
  | { name: 'help' }
  | { name: 'list'; state: (typeof STATES)[number] }
  | { name: 'show' | 'replay' | 'discard'; id: string }
  | { name: 'replay_all' }

export class UsageError extends Error {}

/** Throws {@link UsageError}. */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  const [name, id, ...rest] = positionals
  if (values.help || name === 'help') return { name: 'help' }
  const isList = name === 'list'
  if (values.state !== undefined && !isList) throw new UsageError('--state goes with list.')
  if (values.all && name !== 'replay') throw new UsageError('--all goes with replay.')
  if (rest.length > 0 || (id !== undefined && (isList || values.all))) {
    throw new UsageError(`There is too much in "${positionals.join(' ')}".`)
  }
  switch (name) {
    case undefined:
      throw new UsageError('There is no command.')
    case 'list': {
      const state = STATES.find((one) => one === (values.state ?? 'open'))
      if (!state) throw new UsageError(`--state takes ${STATES.join(', ')}.`)
      return { name, state }
    }
    case 'show':
    case 'replay':
    case 'discard':
      if (name === 'replay' && values.all) return { name: 'replay_all' }
      if (id === undefined) throw new UsageError(`${name} takes the id of a letter, as list prints it.`)
      return { name, id }
    default:
      throw new UsageError(`There is no command ${name}.`)
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        state: { type: 'string' },
        all: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
