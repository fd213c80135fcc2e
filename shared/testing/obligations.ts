import { expect, it } from 'vitest'
import type { Deps } from '../app/ports.ts'
import { toCloudEvent } from '../domain/cloud-event.ts'
import type { HttpFunction } from '../kit/http-function.ts'
import type { TopicFunction } from '../kit/topic-function.ts'
import { systemIds } from '../kit/system.ts'
import { testDeps, tokenOf } from './test-deps.ts'

/** A request as it differs from one function to the next; `:id` in the path is filled in from `id`. */
export interface RequestParts {
  id?: string
  json?: unknown
  headers?: Record<string, string>
}

/** Prepares what the request is about, as the user who owns it. */
export type Preparation = (deps: Deps, userId: string) => Promise<RequestParts> | RequestParts

interface Asked {
  status: number
  headers: Headers
  body: unknown
}

/** Sends a function its request, as a user or as nobody. */
export async function ask(
  fn: HttpFunction,
  deps: Deps,
  userId: string | null,
  { id, json, headers }: RequestParts = {},
): Promise<Asked> {
  const answer = await fn.createApp(deps).request(fn.path.replace(':id', id ?? systemIds.uuid()), {
    method: fn.method,
    headers: {
      ...(userId !== null && { authorization: `Bearer ${tokenOf(userId)}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) }
}

const eventsOf = (deps: Deps, userId: string) => deps.feed.after(userId, 0, 1000)

/** Nobody gets past it without a valid token, and nothing happens. */
export function requiresLogin(fn: HttpFunction, prepare: Preparation = () => ({})): void {
  it('requires a login', async () => {
    const deps = testDeps()
    const owner = systemIds.uuid()
    const request = await prepare(deps, owner)
    const before = await eventsOf(deps, owner)
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: tokenOf(owner) }]) {
      const got = await ask(fn, deps, null, { ...request, headers: { ...request.headers, ...headers } })
      expect(got.status).toBe(401)
    }
    expect(await eventsOf(deps, owner)).toEqual(before)
  })
}

/** Somebody else's object looks as if it did not exist, and nothing happens to it; its owner does reach it. */
export function hidesOtherUsers(fn: HttpFunction, prepare: Preparation): void {
  it('answers 404, not 403, for what belongs to another user', async () => {
    const deps = testDeps()
    const [owner, other] = [systemIds.uuid(), systemIds.uuid()]
    const request = await prepare(deps, owner)
    const before = await eventsOf(deps, owner)
    const refused = await ask(fn, deps, other, request)
    const missing = await ask(fn, deps, other, { ...request, id: systemIds.uuid() })
    expect([refused.status, missing.status]).toEqual([404, 404])
    expect({ ...(refused.body as object), request_id: '' }).toEqual({
      ...(missing.body as object),
      request_id: '',
    })
    expect([await eventsOf(deps, owner), await eventsOf(deps, other)]).toEqual([before, []])
    expect((await ask(fn, deps, owner, request)).status).toBeLessThan(300)
  })
}

/** The same write twice under one Idempotency-Key: one effect, the same answer. */
export function isIdempotent(fn: HttpFunction, prepare: Preparation): void {
  it('does a retried write once and answers the same', async () => {
    const deps = testDeps()
    const owner = systemIds.uuid()
    const request = await prepare(deps, owner)
    const retried = { ...request, headers: { ...request.headers, 'idempotency-key': 'retried' } }
    const before = (await eventsOf(deps, owner)).length
    const first = await ask(fn, deps, owner, retried)
    expect(first.status).toBeLessThan(300)
    const after = await eventsOf(deps, owner)
    expect(after.length).toBeGreaterThan(before)
    deps.clock.advance(1000)
    const second = await ask(fn, deps, owner, retried)
    expect([second.status, second.body]).toEqual([first.status, first.body])
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(await eventsOf(deps, owner)).toEqual(after)
  })
}

/** The same event delivered twice, one after the other and at once: one effect. */
export function isIdempotentConsumer(
  fn: TopicFunction,
  prepare: (deps: Deps, userId: string) => Promise<void>,
): void {
  it('has its effect once, however often the event is delivered', async () => {
    const deps = testDeps()
    const owner = systemIds.uuid()
    await prepare(deps, owner)
    const before = await eventsOf(deps, owner)
    const event = before.findLast((candidate) => fn.wants(candidate.type))
    expect(event).toBeDefined()
    const deliver = () => fn.deliver(toCloudEvent(event!), deps)
    await Promise.all([deliver(), deliver()])
    const after = await eventsOf(deps, owner)
    expect(after.length).toBeGreaterThan(before.length)
    await deliver()
    expect(await eventsOf(deps, owner)).toEqual(after)
  })
}

/** A stale `If-Match` is refused with 412 and changes nothing; the version that is there goes through. */
export function honoursIfMatch(fn: HttpFunction, prepare: Preparation): void {
  it('refuses a stale If-Match and takes the current one', async () => {
    const deps = testDeps()
    const owner = systemIds.uuid()
    const request = await prepare(deps, owner)
    const { task } = await deps.changes.loadTask(owner, request.id ?? '', null, deps.clock.now())
    const before = await eventsOf(deps, owner)
    const withMatch = (tag: string) =>
      ask(fn, deps, owner, { ...request, headers: { ...request.headers, 'if-match': tag } })
    const stale = await withMatch(`"${task!.version + 1}"`)
    expect(stale).toMatchObject({ status: 412, body: { code: 'task.version_conflict' } })
    expect((await withMatch('4711')).status).toBe(400)
    expect(await eventsOf(deps, owner)).toEqual(before)
    expect((await withMatch(`"9", "${task!.version}"`)).status).toBeLessThan(300)
    expect((await eventsOf(deps, owner)).length).toBeGreaterThan(before.length)
  })
}
