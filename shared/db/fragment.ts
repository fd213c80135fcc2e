import type { Sql } from './connect.ts'

/**
 * A piece of a statement with its values, for statements that are put together at run time. Those of postgres.js would
 * do, but each is a promise that V8 keeps for long: a list takes dozens, and collecting them took as long as reading it.
 */
export class Fragment {
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
  constructor(texts: readonly string[], values: readonly unknown[]) {
    this.texts = texts
    this.values = values
  }
}

/** SQL as a template; what is inserted is a parameter of the statement, or another fragment. */
export const fragment = (texts: TemplateStringsArray, ...values: readonly unknown[]): Fragment =>
  new Fragment(texts, values)

/** SQL as it stands. Never from a client. */
export const verbatim = (text: string): Fragment => new Fragment([text], [])

export const joined = (fragments: readonly Fragment[], separator: string): Fragment =>
  new Fragment(['', ...fragments.slice(1).map(() => separator), ''], fragments)

/**
 * Runs the statement (which has values) and hands its rows to `read`, whose result must not hold them: they are let go of
 * at once, because the promise they came by is held until the next full garbage collection.
 */
export async function run<Result>(
  sql: Sql,
  statement: Fragment,
  read: (rows: readonly never[]) => Result,
  { prepare = true }: { prepare?: boolean } = {},
): Promise<Result> {
  const parameters: unknown[] = []
  const text = textOf(statement, parameters)
  const query = sql.unsafe<never[]>(text, parameters as never[], { prepare })
  // postgres.js would remember where each query that fails comes from, by its text, for ever.
  void Object.defineProperty(query, 'origin', { value: '' })
  const rows = await query
  const result = read(rows)
  rows.length = 0
  return result
}

/** The statement with `$1`, `$2` … for its values, which are added to `parameters`. */
function textOf({ texts, values }: Fragment, parameters: unknown[]): string {
  let text = texts[0]!
  for (const [index, value] of values.entries()) {
    text += value instanceof Fragment ? textOf(value, parameters) : `$${parameters.push(value)}`
    text += texts[index + 1]!
  }
  return text
}
