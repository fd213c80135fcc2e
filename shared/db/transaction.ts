import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Sql, Transaction } from './connect.ts'

/** After the server has ended a session (SQLSTATE class 57P), its socket closes within moments. */
const FAREWELL_MS = 1000

type Body<T> = (tx: Transaction) => Promise<T>

const never = <T>(): Promise<T> => new Promise(() => {})

/**
 * Runs `body` in a transaction: commits what it did when it resolves, rolls back when it throws. When the connection is
 * lost this rejects and the rest of `body` never runs: postgres.js would write its next statement, or its rollback, to
 * the socket that is gone, which ends the process (postgres.js 3.4.9, its issue 1208).
 */
export async function inTransaction<T>(sql: Sql, body: Body<T>): Promise<T> {
  let isLost = false
  const loss = Promise.withResolvers<void>()

  const guarded = (tx: Transaction): Transaction =>
    new Proxy(tx, {
      apply: (target, self, args) => (isLost ? never() : (Reflect.apply(target, self, args) as unknown)),
      get: (target, name) => {
        if (name !== 'savepoint') return Reflect.get(target, name) as unknown
        return (inner: Body<unknown>) => (isLost ? never() : target.savepoint(shielded(inner)))
      },
    })
  const shielded =
    <R>(work: Body<R>): Body<R> =>
    async (tx) => {
      try {
        const result = await work(guarded(tx))
        return isLost ? await never<R>() : result
      } catch (error) {
        // A statement fails before the loss of its connection is told; without a loss there is a rollback to make.
        await Promise.race([loss.promise, isFarewell(error) ? delay(FAREWELL_MS) : nextTurn()])
        if (isLost) return never<R>()
        throw error
      }
    }

  try {
    return (await sql.begin(shielded(body))) as T
  } catch (error) {
    isLost = true
    loss.resolve()
    throw error
  }
}

const isFarewell = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code.startsWith('57P')
