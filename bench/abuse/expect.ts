import { isDeepStrictEqual } from 'node:util'
import type { Client, Got } from './http.ts'
import type { Account } from './account.ts'
import type { Kind, Notes } from './observed.ts'

export type Request = readonly [method: string, path: string, json?: object]

export interface Expected<Body> {
  status?: number
  /** What is wrong with the body, or null. */
  check?: (body: Body) => string | null
}

/**
 * Asks as somebody, takes the time, and says what is wrong unless the answer has the status (200 by default) and passes the
 * check.
 */
export const expecting =
  (client: Client, account: Account, notes: Notes) =>
  async <Body>(
    kind: Kind,
    [method, path, json]: Request,
    { status = 200, check = () => null }: Expected<Body> = {},
  ): Promise<{ body: Body; isRight: boolean }> => {
    const got = await client.ask(method, path, { token: account.token, json })
    notes.took(kind, got.ms)
    const fault = got.status === status ? faultOf(() => check(got.body as Body)) : textOf(got)
    if (fault !== null) notes.wrong(`${account.name} ${method} ${path.split('?')[0]}: ${fault}`)
    return { body: got.body as Body, isRight: fault === null }
  }

/** A check that stumbles over an answer has found a fault. */
function faultOf(check: () => string | null): string | null {
  try {
    return check()
  } catch (error) {
    return `an answer of another form: ${String(error)}`
  }
}

/** What differs in the expected fields, or null. */
export function differenceOf(actual: unknown, expected: object): string | null {
  const got = actual as Record<string, unknown> | null
  const fields = Object.entries(expected).filter(([name, value]) => !isDeepStrictEqual(got?.[name], value))
  return fields.length === 0 ? null : `${fields.map(([name]) => name).join(', ')} in ${short(actual)}`
}

const textOf = ({ status, body }: Got): string =>
  status === 0 ? `no answer: ${String(body)}` : `${status} ${short(body)}`

export const short = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? 'nothing'
