import pino from 'pino'

type LogFields = object

interface LogMethod {
  (message: string): void
  (fields: LogFields, message: string): void
}

/** What code may log with. `child` binds fields such as `function`, `request_id` and `trace_id` to every line. */
export interface Logger {
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  child(fields: LogFields): Logger
}

interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly service: string
  /** Where lines go instead of standard output. */
  readonly destination?: { write(line: string): void }
}

const PRIVATE_FIELDS =
  'authorization|cookie|password|secret|token|access_token|refresh_token|ticket|email|title|description'

// Works on the finished line, so that no nesting, child logger or error message gets around it. Escapes come first:
// the `n` of a line break must not pass for the first letter of an address, because half an escape is no JSON. The
// bounds keep the search linear on long words.
const PRIVATE = new RegExp(
  [
    String.raw`(?<="(?:${PRIVATE_FIELDS})":)(?<value>"[^"\\]*(?:\\.[^"\\]*)*")`,
    String.raw`\\(?:u[0-9a-f]{4}|.)`,
    String.raw`(?<token>Bearer [\w.~+/-]{1,4096}=*|eyJ[\w-]{1,4096}\.[\w-]{1,4096}(?:\.[\w-]{0,4096})?)`,
    String.raw`(?<email>[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+)`,
  ].join('|'),
  'giu',
)
const MAY_BE_PRIVATE = new RegExp(`@|Bearer |eyJ|"(?:${PRIVATE_FIELDS})":`, 'i')

function redact(line: string): string {
  if (!MAY_BE_PRIVATE.test(line)) return line
  return line.replace(PRIVATE, (match: string, value?: string, token?: string, email?: string) => {
    if (value !== undefined) return '"[redacted]"'
    if (token !== undefined) return '[token]'
    return email === undefined ? match : '[email]'
  })
}

/**
 * JSON lines `{level, time, service, …fields, msg}` with `time` in RFC 3339. Text fields with private names, mail
 * addresses and bearer tokens are cut out at any depth; errors keep type, code, message, stack and causes only.
 */
export function createLogger({ level, service, destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
    hooks: { streamWrite: redact },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

const MAX_CAUSES = 4
/** Messages may quote what somebody sent; to look for secrets in a long one takes time. */
const MAX_TEXT = 4000

// A list of what to keep, because errors carry the data they failed on: a PostgreSQL error holds the row in `detail`
// and the values in `parameters`.
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, cause } = error
  const code = 'code' in error ? String(error.code) : undefined
  const causeKept = cause !== undefined && depth < MAX_CAUSES
  return {
    type: name,
    code,
    message: cut(message),
    stack: stack && cut(stack),
    cause: causeKept ? describeError(cause, depth + 1) : undefined,
  }
}

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
