import { connect as connectSocket } from 'node:net'
import postgres from 'postgres'
import { afterAll } from 'vitest'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { testDatabaseTarget } from './database.ts'

export interface CountedDatabase {
  sql: Sql
  /** Bytes that PostgreSQL has sent so far. */
  received(): number
  /** Statements so far that contain a text. */
  statements(containing: string): number
}

/** A database whose answers are weighed: what a request brings into the process. */
export async function countedDatabase(): Promise<CountedDatabase> {
  const target = await testDatabaseTarget()
  const plain = connect(target, { max: 4, applicationName: 'test' })
  const texts: string[] = []
  let received = 0
  const socket = () =>
    connectSocket(`${target.host}/.s.PGSQL.${target.port}`).on('data', (chunk) => {
      received += chunk.length
    })
  const debug = (_connection: number, text: string) => void texts.push(text)
  const sql = postgres({
    ...(plain.options as object),
    socket,
    debug,
  } as postgres.Options<never>) as unknown as Sql
  afterAll(() => Promise.all([plain.end({ timeout: 1 }), sql.end({ timeout: 1 })]))
  return {
    sql,
    received: () => received,
    statements: (containing) => texts.filter((text) => text.includes(containing)).length,
  }
}
