import type { Sql } from './connect.ts'

/** What postgres.js resolves a statement with. */
export interface Rows extends ArrayLike<unknown> {
  /** Rows that the server says it has sent or changed; null where it does not say. */
  count: number | null
  columns?: readonly unknown[] | null
}

/** A statement of postgres.js, of a pool or of a transaction: all are of one class. */
interface Statement {
  executed: boolean
  resolve(result: Rows | readonly Rows[]): void
  reject(error: Error): void
  handle(): Promise<void>
}

class TornResultError extends Error {
  readonly code = 'database.torn_result'
  constructor() {
    super('refused a result: its rows are not those that PostgreSQL has counted')
    this.name = 'TornResultError'
  }
}

/** All rows are there, from the first on, and as many as the server has counted. A write without RETURNING has none. */
export function isWhole(rows: Rows): boolean {
  if (rows.length === 0) return !rows.count || !rows.columns?.length
  return 0 in rows && (rows.count === null || rows.count === rows.length)
}

const guarded = new WeakSet<Statement>()

/**
 * From now on a statement of the driver that made `sql` rejects rather than resolve with a result that is not whole. The
 * patch of decision 080 leaves none that is; this holds should it ever be wrong.
 */
export function refuseTornResults(sql: Sql): void {
  const statements = Object.getPrototypeOf(sql`select`) as Statement
  if (guarded.has(statements)) return
  guarded.add(statements)
  const { handle } = statements
  statements.handle = function () {
    if (!this.executed) {
      const { resolve } = this
      this.resolve = (result) => {
        const results = 'count' in result ? [result] : result // several where the text held several statements
        if (results.every(isWhole)) resolve(result)
        else this.reject(new TornResultError())
      }
    }
    return handle.call(this)
  }
}
