import { afterAll, expect, it } from 'vitest'
import { product } from '../product/harness/product.ts'
import { allAsleep, followPods, until } from './harness/pods.ts'

const daybook = await product()
const pods = await followPods()
afterAll(pods.close)

it('the first task: register, confirm, create, list, with everything but the edge at zero before', async () => {
  await allAsleep(pods)
  const begun = Date.now()
  const user = await daybook.confirmedUser()
  const confirmed = Date.now()
  const { id } = await user.create({ title: 'Water the plants' })
  const listed = await user.send('GET', '/api/tasks')
  const done = Date.now()
  expect((listed.body as { items: { id: string }[] }).items.map((task) => task.id)).toEqual([id])
  const woken = new Set(pods.all.filter(({ seenAt }) => seenAt >= begun).map(({ app }) => app))
  expect(woken).toContain('auth-api')
  expect(woken).toContain('tasks-api')
  console.log(
    `from zero: registered and address confirmed by mail ${confirmed - begun} ms, then created and listed ${done - confirmed} ms; woken: ${[...woken].toSorted().join(', ')}`,
  )
  const slept = await allAsleep(pods)
  console.log(`everything at zero again ${slept} ms later`)
  await until('the pods are gone', () =>
    pods.all.every(({ app, goneAt }) => app === 'edge' || goneAt !== undefined),
  )
})
