import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { OPEN } from '../../../testing/builders/open-function.ts'
import { composeDaybook, tokenOf } from '../../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { httpFunction } from '../http-function.ts'
import { mountFunctions } from '../mount-functions.ts'
import { serve } from './serve.ts'

const [ADA, BOB] = ['0199d0a0-0000-7000-8000-00000000000a', '0199d0a0-0000-7000-8000-00000000000b']
const MEGABYTES = 8
const sql = await testDatabase()

/** A server whose users may each have two answers at once, all of them large. */
async function given() {
  const begun: string[] = []
  const large = httpFunction({
    ...OPEN,
    route: 'GET /large',
    auth: 'tasks:read',
    handle: async ({ actor }) => {
      begun.push(actor.userId)
      return { body: 'x'.repeat(MEGABYTES * 2 ** 20) }
    },
  })
  const { deps } = composeDaybook(sql, { env: { DATABASE_POOL: '8' } })
  const app = mountFunctions([large], deps)
  const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
  onTestFinished(() => server.close(0))
  const ask = async (userId: string, times: number) => {
    const socket = connect(server.port, '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    socket.pause()
    socket.write(
      `GET /large HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf(userId)}\r\n\r\n`.repeat(times),
    )
    return socket
  }
  return { ask, begunBy: (userId: string) => begun.filter((id) => id === userId).length }
}

it('makes no more answers than a user may have at once while nobody takes them, and goes on when they are taken', async () => {
  const { ask, begunBy } = await given()
  const first = await ask(ADA, 4)
  await vi.waitFor(() => expect(begunBy(ADA)).toBe(2))
  const second = await ask(ADA, 4)
  await ask(BOB, 1)
  await vi.waitFor(() => expect(begunBy(BOB)).toBe(1))
  expect(begunBy(ADA)).toBe(2)
  first.resume()
  await vi.waitFor(() => expect(begunBy(ADA)).toBe(6), { timeout: 5000 })
  second.resume()
  await vi.waitFor(() => expect(begunBy(ADA)).toBe(8), { timeout: 5000 })
})

it('gives the room back of answers whose connection is gone, those that had not begun to be sent, too', async () => {
  const { ask, begunBy } = await given()
  const gone = await ask(ADA, 2)
  await vi.waitFor(() => expect(begunBy(ADA)).toBe(2))
  gone.destroy()
  await ask(ADA, 2)
  await vi.waitFor(() => expect(begunBy(ADA)).toBe(4), { timeout: 5000 })
})
