import { expect, inject, it, vi } from 'vitest'
import type { Person } from '../worlds/api-client.ts'
import { product } from './harness/product.ts'

const { ask: send, have, newUser, register } = await product()
const UNITS_ASKED = ['auth-api', 'tasks-api', 'reminders-api', 'notifications-api']

it('ends a session in every process that knows it', async () => {
  const person = await register()
  const ask = () => Promise.all(Array.from({ length: 16 }, () => whoAmI(person)))
  expect(new Set(await ask())).toEqual(new Set([200]))
  await have(person, 'DELETE', '/api/auth/sessions')
  await vi.waitFor(async () => expect(new Set(await ask())).toEqual(new Set([401])))
})

// Otherwise the other tests of this product, which ask in turn, would show nothing about two processes.
it.each(UNITS_ASKED)('has had requests answered by both processes of %s', async (unitId) => {
  const user = await newUser()
  const paths = ['/api/me', '/api/tasks', '/api/reminders', '/api/notifications']
  for (let round = 0; round < 20; round += 1) await Promise.all(paths.map((path) => user.does('GET', path)))
  const own = inject('sidecars').filter((sidecar) => sidecar.unitId === unitId)
  const served = await Promise.all(own.map(({ metricsPort }) => requestsTo(metricsPort)))
  expect(served).toHaveLength(2)
  expect(Math.min(...served)).toBeGreaterThan(0)
})

const whoAmI = async ({ token }: Person) => (await send('GET', '/api/me', { token })).status

/** Requests that a sidecar has given to its app, by its metrics. */
async function requestsTo(metricsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const counts = text.split('\n').filter((line) => line.startsWith('dapr_http_client_completed_count{'))
  return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
