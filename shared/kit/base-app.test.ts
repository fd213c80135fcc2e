import { expect, it } from 'vitest'
import { loadFunctions } from '../../functions/main.ts'
import { OPEN } from '../../testing/builders/open-function.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { DomainError } from '../domain/errors.ts'
import { httpFunction } from './http-function.ts'
import { mountFunctions } from './mount-functions.ts'

const { deps } = await testDaybook()
const headers = { authorization: `Bearer ${tokenOf(deps.ids.uuid())}` }
const open = (route: `GET /${string}`, handle: () => Promise<{ body: object }>) =>
  httpFunction({ ...OPEN, route, cache: 'public, max-age=300', handle })
const refuse = async (): Promise<never> =>
  await Promise.reject(new DomainError('service.unavailable', 'Away.'))
const fail = async (): Promise<never> => await Promise.reject(new Error('broken'))

const app = mountFunctions(
  [
    ...(await loadFunctions(['tasks/list-tasks', 'tasks/get-task', 'web/api-document', 'web/api-reference'])),
    open('GET /away', refuse),
    open('GET /broken', fail),
  ],
  deps,
)

it.each<[string, string, RequestInit, number]>([
  ['what is the user’s', '/api/tasks', { headers }, 200],
  ['that there is none', '/api/tasks/0199d0a0-0000-7000-8000-000000000000', { headers }, 404],
  ['a refused request', '/api/tasks?limit=x', { headers }, 422],
  ['a request without a token', '/api/tasks', {}, 401],
  ['a method that is not there', '/api/tasks', { method: 'PUT', headers }, 405],
  ['a path that is not there', '/api/nothing', { headers }, 404],
  ['a document that cannot be had', '/away', {}, 503],
  ['a failure', '/broken', {}, 500],
])('nobody keeps %s', async (_, path, init, status) => {
  const answer = await app.request(path, init)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-store'])
})

it.each(['/openapi.json', '/docs', '/docs/swagger-ui.css'])('%s may be kept', async (path) => {
  const answer = await app.request(path)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
})
