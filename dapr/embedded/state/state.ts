import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { findComponent, type SidecarContext } from '../context.ts'
import { apiError, detailedError, malformedRequest, messageOf, resourceInfo } from '../errors.ts'
import { queryMetadata, readText } from '../requests.ts'
import { metadataValue } from '../resources.ts'
import {
  mismatch,
  readState,
  StateError,
  writeAll,
  writeState,
  type StateItem,
  type StateWrite,
} from './state-store.ts'

type Metadata = Record<string, string>

const Item = z.object({
  key: z.string().default(''),
  value: z.unknown().optional(),
  etag: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  options: z.object({ concurrency: z.string().default(''), consistency: z.string().default('') }).nullish(),
})
type Item = z.infer<typeof Item>

const BulkGet = z.object({ keys: z.array(z.string()).nullish() })
const TransactionBody = z.object({
  operations: z.array(z.object({ operation: z.string(), request: Item })).nullish(),
})

/** `/state/{store}`: get, save, delete, bulk get and transaction, with ETags and time to live. */
export function stateRoutes(context: SidecarContext): Hono {
  const app = new Hono()
  const base = '/v1.0/state/:store'
  app.on(['POST', 'PUT'], `${base}/bulk`, async (c) => await bulkGet(context, c))
  app.on(['POST', 'PUT'], `${base}/transaction`, async (c) => await transact(context, c))
  app.on(['POST', 'PUT'], base, async (c) => await save(context, c))
  app.get(`${base}/:key`, async (c) => await get(context, c))
  app.delete(`${base}/:key`, async (c) => await remove(context, c))
  return app
}

async function get(context: SidecarContext, c: Context): Promise<Response> {
  const store = findStore(context, c)
  const [item] = await readState(
    context.sql,
    store.name,
    [store.keyOf(c.req.param('key')!)],
    context.clock.now(),
  )
  if (!item) return c.body(null, 204)
  const headers: Metadata = { 'content-type': 'application/json', etag: item.etag }
  for (const [name, value] of Object.entries(itemMetadata(item))) headers[`metadata.${name}`] = value
  return c.body(item.value, 200, headers)
}

async function save(context: SidecarContext, c: Context): Promise<Response> {
  const store = findStore(context, c)
  const items = await parse(c, z.array(Item), (reason) => apiError(400, 'ERR_MALFORMED_REQUEST', reason))
  const metadata = queryMetadata(c.req.raw)
  const fail = (error: unknown) =>
    apiError(
      statusOf(error),
      'ERR_STATE_SAVE',
      `failed saving state in state store ${store.name}: ${messageOf(error)}`,
    )
  for (const { key } of items) {
    if (key === '') throw apiError(400, 'ERR_MALFORMED_REQUEST', '"key" is a required field')
    store.keyOf(key)
  }
  // Several items are several writes: some may succeed where others fail.
  const results = await Promise.allSettled(
    items.map(async (item) => {
      await writeState(
        context.sql,
        store.name,
        toWrite('upsert', store.keyOf(item.key), item, metadata),
        context.clock.now(),
      )
    }),
  )
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (errors.length === 0) return c.body(null, 204)
  if (items.length === 1) throw fail(errors[0])
  // Of several items every error is named, and one mismatch makes a mismatch of all.
  const texts = errors.map(messageOf).join('\n')
  const hasMismatch = errors.some((error) => error instanceof StateError && error.isEtagMismatch)
  throw fail(hasMismatch ? mismatch(texts) : new StateError(texts))
}

async function remove(context: SidecarContext, c: Context): Promise<Response> {
  const store = findStore(context, c)
  const key = c.req.param('key')!
  const item: Item = { key, value: null, etag: c.req.header('if-match') ?? null }
  try {
    await writeState(
      context.sql,
      store.name,
      toWrite('delete', store.keyOf(key), item, {}),
      context.clock.now(),
    )
  } catch (error) {
    if (!(error instanceof StateError)) throw error
    throw apiError(
      statusOf(error),
      'ERR_STATE_DELETE',
      `failed deleting state with key ${key}: ${error.message}`,
    )
  }
  return c.body(null, 204)
}

async function bulkGet(context: SidecarContext, c: Context): Promise<Response> {
  const store = findStore(context, c)
  const keys = (await parse(c, BulkGet, malformedRequest)).keys ?? []
  const stored = new Map(keys.map((key) => [store.keyOf(key), key]))
  const found = await readState(context.sql, store.name, [...stored.keys()], context.clock.now())
  const answer = found.map((item) => {
    const metadata = itemMetadata(item)
    return {
      key: stored.get(item.key)!,
      data: JSON.parse(item.value) as unknown,
      etag: item.etag,
      ...(Object.keys(metadata).length > 0 && { metadata }),
    }
  })
  const absent = keys.filter((key) => !answer.some((item) => item.key === key)).map((key) => ({ key }))
  return c.json([...answer, ...absent])
}

async function transact(context: SidecarContext, c: Context): Promise<Response> {
  const store = findStore(context, c)
  const operations = (await parse(c, TransactionBody, malformedRequest)).operations ?? []
  const metadata = queryMetadata(c.req.raw)
  for (const { operation } of operations) {
    if (operation === 'upsert' || operation === 'delete') continue
    throw apiError(400, 'ERR_NOT_SUPPORTED_STATE_OPERATION', `operation type ${operation} not supported`)
  }
  for (const { request } of operations) store.keyOf(request.key, 'transaction')
  try {
    const writes = operations.map(({ operation, request }) =>
      toWrite(operation as 'upsert' | 'delete', store.keyOf(request.key), request, metadata),
    )
    await writeAll(context.sql, store.name, writes, context.clock.now())
  } catch (error) {
    // Always 500, also for an ETag that does not match.
    throw apiError(
      500,
      'ERR_STATE_TRANSACTION',
      `error while executing state transaction: ${messageOf(error)}`,
    )
  }
  return c.body(null, 204)
}

interface Store {
  readonly name: string
  /** The key as it is stored: with the prefix that keeps apps apart. */
  keyOf(key: string, within?: 'transaction'): string
}

function findStore(context: SidecarContext, c: Context): Store {
  const name = c.req.param('store')!
  const { appId } = context
  const refuse = (status: number, code: string, what: string, reason: string) =>
    detailedError(status, code, `state store ${name} is not ${what}`, { reason, metadata: { appID: appId } })
  if (!context.components.some(({ type }) => type.startsWith('state.'))) {
    throw refuse(500, 'ERR_STATE_STORE_NOT_CONFIGURED', 'configured', 'DAPR_STATE_NOT_CONFIGURED')
  }
  const component = findComponent(context, name, 'state.')
  if (!component) throw refuse(400, 'ERR_STATE_STORE_NOT_FOUND', 'found', 'DAPR_STATE_NOT_FOUND')
  const strategy = metadataValue(component, 'keyPrefix', context.env)?.toLowerCase() ?? 'appid'
  const known: Metadata = {
    appid: `${appId}||`,
    namespace: `default.${appId}||`,
    name: `${name}||`,
    none: '',
  }
  const prefix = known[strategy] ?? `${strategy}||`
  return {
    name,
    keyOf(key, within) {
      if (key.includes('||')) throw illegalKey(name, key, within)
      return prefix + key
    },
  }
}

// In a transaction Dapr has lost the key when it words the violation.
function illegalKey(store: string, key: string, within: 'transaction' | undefined) {
  const message = `api error: code = InvalidArgument desc = input key/keyPrefix '${key}' can't contain '||'`
  const violation = {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    field_violations: [{ ...(!within && { field: key }), description: message }],
  }
  const others = [violation, resourceInfo('state', store, '')]
  return detailedError(400, 'ERR_MALFORMED_REQUEST', message, { reason: 'DAPR_STATE_ILLEGAL_KEY', others })
}

function toWrite(operation: StateWrite['operation'], key: string, item: Item, query: Metadata): StateWrite {
  const { concurrency = '', consistency = '' } = item.options ?? {}
  if (operation === 'upsert' && !['', 'first-write', 'last-write'].includes(concurrency)) {
    throw new StateError(`unrecognized concurrency model '${concurrency}'`)
  }
  if (operation === 'upsert' && !['', 'strong', 'eventual'].includes(consistency)) {
    throw new StateError(`unrecognized consistency model '${consistency}'`)
  }
  return {
    operation,
    key,
    value: JSON.stringify(item.value ?? null),
    etag: item.etag || null,
    isFirstWrite: concurrency === 'first-write',
    ttlSeconds: parseTtl({ ...item.metadata, ...query }.ttlInSeconds ?? ''),
  }
}

function parseTtl(text: string): number | null {
  if (text === '') return null
  const seconds = /^-?\d+$/.test(text) ? Number(text) : NaN
  const problem = Number.isNaN(seconds)
    ? `strconv.ParseInt: parsing "${text}": invalid syntax`
    : 'must be -1 or greater'
  if (!(seconds >= -1 && seconds <= 2 ** 31 - 1)) {
    throw new StateError(`error parsing TTL: incorrect value for metadata 'ttlInSeconds': ${problem}`)
  }
  return seconds > 0 ? seconds : null
}

async function parse<S extends z.ZodType>(
  c: Context,
  schema: S,
  refuse: (reason: string) => Error,
): Promise<z.infer<S>> {
  try {
    return schema.parse(JSON.parse(await readText(c.req.raw)))
  } catch (error) {
    throw refuse(messageOf(error))
  }
}

function itemMetadata({ expiresAt }: StateItem): Metadata {
  return expiresAt === null ? {} : { ttlExpireTime: `${expiresAt.toISOString().slice(0, 19)}Z` }
}

const statusOf = (error: unknown): number => (error instanceof StateError && error.isEtagMismatch ? 409 : 500)
