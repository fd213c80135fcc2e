import { describe, expect, it, vi } from 'vitest'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aChange } from '../../testing/builders/a-task.ts'
import { manualTimers } from '../../testing/worlds/manual-timers.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { revoked } from '../../shared/domain/auth/identity-session.ts'
import listChanges from './list-changes.ts'

const { deps } = await testDaybook()
const app = mountFunctions([listChanges], deps)
const until = (condition: () => unknown) => vi.waitFor(() => expect(condition()).toBe(true), 5000)

/** Somebody who has one change, and waits for the next. */
async function waiting(signal?: AbortSignal) {
  const userId = systemIds.uuid()
  const { token, session } = await openSession(deps, userId)
  const ask = async (query: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await app.request(`/api/changes?${query}`, { headers, ...init })
    const body = (await answer.json()) as { items: { sequence: string }[]; next_since: string }
    const retryAfter = answer.headers.get('retry-after')
    return {
      status: answer.status,
      retryAfter,
      ...body,
      sequences: body.items?.map(({ sequence }) => Number(sequence)),
    }
  }
  await deps.changes.commit(aChange(userId))
  const { next_since: since } = await ask('')
  const answer = ask(`since=${since}&wait=25`, signal ? { signal } : {})
  await until(() => deps.streams.count() === 1)
  return { userId, session, ask, since, answer }
}

describe('waiting for changes', () => {
  it('ends with the next change, at once', async () => {
    const { userId, answer } = await waiting()
    await deps.changes.commit(aChange(userId))
    expect((await answer).sequences).toEqual([2])
    expect(deps.streams.count()).toBe(0)
  })

  it('does not begin where there is something', async () => {
    const { userId, ask, since, answer } = await waiting()
    await deps.changes.commit(aChange(userId))
    expect((await ask(`since=${since}&wait=25`)).sequences).toEqual([2])
    await answer
    expect(deps.streams.count()).toBe(0)
  })

  it('takes nothing of what its user may do at once, and the eleventh is refused at once', async () => {
    const { userId, ask, since, answer } = await waiting()
    const others = Array.from({ length: 9 }, () => ask(`since=${since}&wait=25`))
    await until(() => deps.streams.count() === 10)
    expect(await ask(`since=${since}&wait=25`)).toMatchObject({ status: 429, retryAfter: '25' })
    expect(deps.streams.count()).toBe(10)
    expect((await ask('limit=1')).sequences).toEqual([1])
    await deps.changes.commit(aChange(userId))
    for (const other of [answer, ...others]) expect((await other).sequences).toEqual([2])
  })

  it('ends with the session, and shows nothing then', async () => {
    const { userId, session, answer } = await waiting()
    const at = deps.clock.now()
    await deps.identity.store.commit({ userId, at, changedSession: revoked(session, at), events: [] })
    expect((await answer).status).toBe(401)
  })

  it('is over where nobody knows any more who asks', async () => {
    const { userId, answer } = await waiting()
    const away = vi.spyOn(deps, 'authenticate').mockRejectedValueOnce(new Error('away'))
    await deps.changes.commit(aChange(userId))
    expect((await answer).status).toBe(500)
    away.mockRestore()
    expect(deps.streams.count()).toBe(0)
  })

  it('ends with its client', async () => {
    const gone = new AbortController()
    const { answer } = await waiting(gone.signal)
    gone.abort()
    await answer
    expect(deps.streams.count()).toBe(0)
  })

  it('ends with the time it was given, with nothing', async () => {
    const timers = manualTimers()
    const late = await testDaybook({ resources: { startTimer: timers.startTimer } })
    const userId = systemIds.uuid()
    const { token } = await openSession(late.deps, userId)
    const answer = mountFunctions([listChanges], late.deps).request('/api/changes?wait=3', {
      headers: { authorization: `Bearer ${token}` },
    })
    await until(() => late.deps.streams.count() === 1)
    timers.advance(3000)
    expect(await (await answer).json()).toMatchObject({ items: [], has_more: false })
  })
})
