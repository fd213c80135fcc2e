import type { Deps } from '../../shared/app/ports.ts'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { tokenOf } from './compose-daybook.ts'

/** A request as it differs from one function to the next; `:id` in the path is filled in from `id`. */
export interface RequestParts {
  id?: string
  query?: string
  json?: unknown
  headers?: Record<string, string>
}

/** Sends a function its request as a user without an account. */
export async function ask(
  fn: HttpFunction,
  deps: Deps,
  userId: string,
  { id, query = '', json, headers }: RequestParts = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const path = fn.path.replace(':id', id ?? systemIds.uuid())
  const answer = await mountFunctions([fn], deps).request(path + query, {
    method: fn.method,
    headers: {
      authorization: `Bearer ${tokenOf(userId)}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) }
}
