import { z } from 'zod'
import { DaprError } from './dapr-error.ts'
import {
  errorCodeOf,
  isSuccess,
  readJson,
  refusal,
  type DaprAnswer,
  type DaprRequest,
  type Transport,
} from './transport.ts'

export interface StoredValue<T> {
  readonly value: T
  readonly etag: string
}

/** `etag`: write only over this version, or with null only where nothing is stored; without it the last write wins. */
export interface SaveOptions {
  readonly etag?: string | null
  readonly ttlSeconds?: number
}

export type StateOperation =
  | ({ readonly operation: 'upsert'; readonly key: string; readonly value: unknown } & SaveOptions)
  | { readonly operation: 'delete'; readonly key: string; readonly etag?: string }

const BulkAnswer = z.array(
  z.object({
    key: z.string(),
    data: z.unknown().optional(),
    etag: z.string().optional(),
    error: z.string().optional(),
  }),
)

/**
 * Key and value with ETags. A write whose ETag is stale is a DaprError `conflict`; of a transaction nothing is applied
 * then (Redis applies the rest). Source: Dapr State management API reference.
 */
export function createState({ call, send }: Transport) {
  async function write(request: DaprRequest): Promise<void> {
    const answer = await send(request)
    if (isSuccess(answer)) return
    throw refusal(request.operation, answer, isStale(answer) ? 'conflict' : 'refused')
  }

  return {
    /** The value and its version, or null when nothing is stored. */
    async get<T>(store: string, key: string, schema: z.ZodType<T>): Promise<StoredValue<T> | null> {
      const operation = `get state ${store}`
      const answer = await call({ operation, method: 'GET', path: ['v1.0', 'state', store, key] })
      if (answer.status === 204) return null
      return {
        value: readJson(operation, answer, schema),
        etag: etagOf(operation, answer.headers.get('etag')),
      }
    },

    /** The values that are stored, by key. */
    async bulkGet<T>(
      store: string,
      keys: readonly string[],
      schema: z.ZodType<T>,
    ): Promise<Map<string, StoredValue<T>>> {
      const operation = `bulk get state ${store}`
      const path = ['v1.0', 'state', store, 'bulk']
      const items = readJson(
        operation,
        await call({ operation, method: 'POST', path, json: { keys } }),
        BulkAnswer,
      )
      const found = new Map<string, StoredValue<T>>()
      for (const { key, data, etag, error } of items) {
        if (error) throw new DaprError({ operation, kind: 'refused', status: 200, body: error })
        if (data === undefined || data === null) continue
        const parsed = schema.safeParse(data)
        if (!parsed.success)
          throw new DaprError({ operation, kind: 'malformed', status: 200, reason: 'value' })
        found.set(key, { value: parsed.data, etag: etagOf(operation, etag ?? null) })
      }
      return found
    },

    async save(store: string, key: string, value: unknown, options: SaveOptions = {}): Promise<void> {
      await write({
        operation: `save state ${store}`,
        method: 'POST',
        path: ['v1.0', 'state', store],
        json: [upsert(key, value, options)],
      })
    },

    /** Deleting what is not there is no error, unless an ETag was expected. */
    async delete(store: string, key: string, { etag }: { readonly etag?: string } = {}): Promise<void> {
      await write({
        operation: `delete state ${store}`,
        method: 'DELETE',
        path: ['v1.0', 'state', store, key],
        ...(etag === undefined ? {} : { search: '?concurrency=first-write', headers: { 'if-match': etag } }),
      })
    },

    async transaction(store: string, operations: readonly StateOperation[]): Promise<void> {
      await write({
        operation: `state transaction ${store}`,
        method: 'POST',
        path: ['v1.0', 'state', store, 'transaction'],
        json: {
          operations: operations.map((each) => ({
            operation: each.operation,
            request:
              each.operation === 'upsert'
                ? upsert(each.key, each.value, each)
                : { key: each.key, ...concurrency(each.etag) },
          })),
        },
      })
    },
  }
}

function upsert(key: string, value: unknown, { etag, ttlSeconds }: SaveOptions) {
  const metadata = ttlSeconds === undefined ? {} : { metadata: { ttlInSeconds: String(ttlSeconds) } }
  return { key, value, ...concurrency(etag), ...metadata }
}

function concurrency(etag: string | null | undefined) {
  if (etag === undefined) return {}
  return { ...(etag === null ? {} : { etag }), options: { concurrency: 'first-write' } }
}

function etagOf(operation: string, etag: string | null): string {
  if (etag) return etag
  throw new DaprError({ operation, kind: 'malformed', status: 200, reason: 'a value without an ETag' })
}

// 409 is the documented answer. daprd gives 500 for every failed transaction, and for a first write without ETag where
// PostgreSQL ("no item was updated") or the Redis script ("user_script") found a value: there only the text tells.
function isStale(answer: DaprAnswer): boolean {
  if (answer.status === 409) return true
  return (
    answer.status === 500 &&
    /^ERR_STATE_(?:SAVE|DELETE|TRANSACTION)$/.test(errorCodeOf(answer) ?? '') &&
    /etag mismatch|no item was updated|user_script/.test(answer.body.toString())
  )
}
