import { describe, expect, it } from 'vitest'
import { createClientDocuments } from './client-documents.ts'
import { OutboundError } from './safe-fetch.ts'

const URL_OF_ONE = 'https://agent.example/client.json'

function documents(answer: () => Promise<{ status: number; body: string }>) {
  let now = Date.parse('2026-11-30T12:00:00Z')
  const asked: string[] = []
  const get = async (url: string) => {
    asked.push(url)
    return { retryAfter: undefined, ...(await answer()) }
  }
  const { read } = createClientDocuments({ get, objection: () => null }, { now: () => new Date(now) })
  return { read, asked, advance: (ms: number) => void (now += ms) }
}

describe('createClientDocuments', () => {
  it('reads a document once in ten minutes', async () => {
    const { read, asked, advance } = documents(async () => ({ status: 200, body: 'what it says' }))
    for (const ms of [0, 1, 599_998]) {
      advance(ms)
      expect(await read(URL_OF_ONE)).toBe('what it says')
    }
    expect(asked).toHaveLength(1)
    advance(1)
    await read(URL_OF_ONE)
    expect(asked).toHaveLength(2)
  })

  it('asks a minute later again where there was none', async () => {
    const answers = [
      async () => ({ status: 404, body: 'no' }),
      () => Promise.reject(new OutboundError('unreachable', 'no')),
    ]
    const { read, asked, advance } = documents(() => answers.shift()!())
    expect([await read(URL_OF_ONE), await read(URL_OF_ONE), asked.length]).toEqual([null, null, 1])
    advance(60_000)
    expect([await read(URL_OF_ONE), asked.length]).toEqual([null, 2])
  })

  it('reads eight at once and no more', async () => {
    const ends: (() => void)[] = []
    const { read } = documents(
      () => new Promise((resolve) => ends.push(() => resolve({ status: 200, body: '{}' }))),
    )
    const under = Array.from({ length: 8 }, (_, nth) => read(`${URL_OF_ONE}?${nth}`))
    await expect(read(URL_OF_ONE)).rejects.toMatchObject({ code: 'service.unavailable' })
    for (const end of ends) end()
    await Promise.all(under)
    const last = read(URL_OF_ONE)
    await expect.poll(() => ends.length).toBe(9)
    ends.at(-1)!()
    expect(await last).toBe('{}')
  })
})
