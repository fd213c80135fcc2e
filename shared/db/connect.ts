import postgres from 'postgres'
import { requirePatchedDriver } from './patched-driver.ts'
import { refuseTornResults } from './whole-results.ts'

/** The embedded server's socket: `host` is the directory of the socket. */
export interface SocketTarget {
  host: string
  port: number
  user: string
  database: string
}

/** A URL (`postgres://…`), or the embedded server's socket. */
export type ConnectionTarget = string | SocketTarget

export type Sql = postgres.Sql<{ bigint: number; date: string }>
/** A piece of a statement. */
export type SqlFragment = postgres.PendingQuery<postgres.Row[]>
export type Transaction = postgres.TransactionSql<{ bigint: number; date: string }>

export interface ConnectOptions {
  max: number
  applicationName: string
  /** False behind a pooler in transaction mode that keeps no prepared statements. */
  prepare?: boolean
}

/**
 * A pool on PostgreSQL. Dates (`date`) stay `YYYY-MM-DD` strings, `bigint` becomes a number (our counters stay far
 * below 2^53), `undefined` parameters become NULL (left alone they can leave a query that never settles).
 */
export function connect(target: ConnectionTarget, options: ConnectOptions): Sql {
  requirePatchedDriver()
  const sql = open(target, options)
  refuseTornResults(sql)
  return sql
}

function open(target: ConnectionTarget, options: ConnectOptions): Sql {
  const settings = {
    max: options.max,
    // One statement at a time on a connection: none waits behind a stranger's slow one, or is lost with one that fails.
    max_pipeline: 0,
    prepare: options.prepare ?? true,
    connect_timeout: 5,
    backoff: pauseBeforeReconnect,
    idle_timeout: 60,
    max_lifetime: 30 * 60,
    transform: { undefined: null },
    onnotice: () => {},
    connection: {
      application_name: options.applicationName,
      statement_timeout: 15_000,
    },
    types: {
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      date: { to: 1082, from: [1082], parse: (text: string) => text, serialize: (text: string) => text },
    },
  }
  if (typeof target !== 'string') return postgres({ ...target, ...settings })
  const { url, socket } = splitUrl(target)
  return postgres(url, { ...socket, ...settings })
}

/**
 * Seconds. By itself postgres.js counts the failures of the whole pool and lets requests wait up to 20 s for a server
 * that has been back for as long.
 */
const pauseBeforeReconnect = (failures: number): number => Math.min(2 ** failures / 100, 0.5)

/**
 * The URL of libpq names the folder of a Unix socket as the parameter `host` (PostgreSQL, 32.1.1.2), and daprd reads it
 * so, too. postgres.js wants it beside the URL.
 */
function splitUrl(text: string): { url: string; socket: { host?: string } } {
  const url = new URL(text)
  const host = url.searchParams.get('host')
  if (!host?.startsWith('/')) return { url: text, socket: {} }
  url.searchParams.delete('host')
  return { url: url.href, socket: { host } }
}

export const socketUrl = ({ host, port, user, database }: SocketTarget): string =>
  `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
