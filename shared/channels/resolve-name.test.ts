import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns'
import { once } from 'node:events'
import { afterAll, describe, expect, it } from 'vitest'
import { nameResolver } from './resolve-name.ts'

const [A, AAAA] = [1, 28]

/** A name server on 127.0.0.1 with one address per type and name (RFC 1035 §4.1); null: it never answers. */
async function nameServer(records: Record<string, Partial<Record<number, number[]>> | null>) {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const labels: string[] = []
    let at = 12
    for (; query[at] !== 0; at += 1 + query[at]!)
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!))
    const type = query.readUInt16BE(at + 1)
    const known = records[labels.join('.')]
    if (known === null) return
    const data = known?.[type]
    const header = Buffer.from(query.subarray(0, 12))
    header.writeUInt16BE(known ? 0x8180 : 0x8183, 2)
    header.writeUInt16BE(data ? 1 : 0, 6)
    header.writeUInt32BE(0, 8)
    const answer = data ? [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data] : []
    socket.send(
      Buffer.concat([header, query.subarray(12, at + 5), Buffer.from(answer)]),
      from.port,
      from.address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  afterAll(() => socket.close())
  const resolve = nameResolver(() => {
    const resolver = new Resolver({ timeout: 200, tries: 1 })
    resolver.setServers([`127.0.0.1:${socket.address().port}`])
    return resolver
  })
  return (name: string, family = 0) =>
    new Promise((answer) =>
      resolve(name, { all: true, family }, (error, found) => answer(error?.code ?? found)),
    )
}

describe('a name', () => {
  it('has the addresses that name servers tell, of both kinds or of the one that is asked for', async () => {
    const v6 = [0x26, 0x06, ...Array.from({ length: 13 }, () => 0), 1]
    const ask = await nameServer({
      'both.example': { [A]: [8, 8, 8, 8], [AAAA]: v6 },
      'four.example': { [A]: [9, 9, 9, 9] },
    })
    const [four, six] = [
      { address: '8.8.8.8', family: 4 },
      { address: '2606::1', family: 6 },
    ]
    expect(await ask('both.example')).toEqual([four, six])
    expect(await ask('both.example', 4)).toEqual([four])
    expect(await ask('both.example', 6)).toEqual([six])
    expect(await ask('four.example')).toEqual([{ address: '9.9.9.9', family: 4 }])
  })

  it('that nobody knows, or knows on this machine only, has none', async () => {
    const ask = await nameServer({})
    expect(await ask('gone.example')).toBe('ENOTFOUND')
    expect(await ask('localhost.localdomain')).toBe('ENOTFOUND')
  })

  it('that is localhost leads here, whatever name servers say', async () => {
    const ask = await nameServer({ localhost: { [A]: [8, 8, 8, 8] } })
    expect(await ask('localhost')).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ])
    expect(await ask('a.localhost.', 4)).toEqual([{ address: '127.0.0.1', family: 4 }])
  })

  it('whose servers never answer is given up, however many ask at once', async () => {
    const ask = await nameServer({ 'slow.example': null })
    const asked = performance.now()
    const answers = Array.from({ length: 50 }, () => ask('slow.example'))
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['ETIMEOUT']))
    expect(performance.now() - asked).toBeLessThan(5000)
  })
})
