import pino from 'pino'

export type LogFields = Readonly<Record<string, unknown>>

interface LogMethod {
  (message: string): void
  (fields: LogFields, message: string): void
}

/** What code may log with. `child` binds fields such as `function`, `request_id` and `trace_id` to every line. */
export interface Logger {
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  child(fields: LogFields): Logger
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

export interface LoggerOptions {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly service: string
  /** Where lines go instead of standard output. */
  readonly destination?: { write(line: string): void }
}

const PRIVATE_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'ticket',
  'email',
  'title',
  'description',
]

// Escapes come first so that the `n` of a line break is never taken for the first letter of an address: cutting an
// escape in two would break the line's JSON. The bounds keep the search linear on long words.
const PRIVATE_TEXT = new RegExp(
  [
    String.raw`\\(?:u[0-9a-f]{4}|.)`,
    String.raw`(?<token>Bearer [\w.~+/-]{1,4096}=*|eyJ[\w-]{1,4096}\.[\w-]{1,4096}(?:\.[\w-]{0,4096})?)`,
    String.raw`(?<email>[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+)`,
  ].join('|'),
  'giu',
)

function scrub(line: string): string {
  if (!/@|Bearer |eyJ/i.test(line)) return line
  return line.replace(PRIVATE_TEXT, (match: string, token?: string, email?: string) =>
    token !== undefined ? '[token]' : email !== undefined ? '[email]' : match,
  )
}

/**
 * JSON lines `{level, time, service, …fields, msg}` with `time` in RFC 3339. Fields with private names are redacted,
 * mail addresses and bearer tokens are cut out of every text, errors keep type, code, message, stack and causes only.
 */
export function createLogger({ level, service, destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: PRIVATE_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    serializers: { err: (error: unknown) => describeError(error) },
    hooks: { streamWrite: scrub },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

export const silentLogger: Logger = {
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

const MAX_CAUSES = 4

// A list of what to keep, because errors carry the data they failed on: a PostgreSQL error holds the row in `detail`
// and the values in `parameters`.
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, cause } = error
  const code = 'code' in error ? String(error.code) : undefined
  const causeKept = cause !== undefined && depth < MAX_CAUSES
  return { type: name, code, message, stack, cause: causeKept ? describeError(cause, depth + 1) : undefined }
}
