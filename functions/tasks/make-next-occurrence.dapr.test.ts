import { beforeAll, expect, it } from 'vitest'
import { invokedNextOccurrences } from '../../shared/dapr/next-occurrences.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { serve } from '../../shared/kit/serve.ts'
import { sidecarPair } from '../../shared/testing/sidecar-pair.ts'
import createNextOccurrence from '../recurrence/create-next-occurrence.ts'
import { deliver, takeMessages } from '../recurrence/testing/messages.ts'
import makeNextOccurrence from './make-next-occurrence.ts'
import { taskService, type TaskService } from './testing/task-service.ts'

const service = await taskService([makeNextOccurrence])
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
/** What arrives in place of the next answers of tasks-api, which has done its work by then. */
const instead: number[] = []
let worker: TaskService

beforeAll(async () => {
  const answer = async (request: Request) => {
    if (new URL(request.url).pathname === '/healthz') return new Response()
    const own = await service.app.fetch(request)
    const status = instead.shift()
    return status === undefined ? own : new Response('{}', { status })
  }
  const tasksApi = await serve(answer, { port: 0, host: '127.0.0.1' })
  const { dapr } = await sidecarPair('recurrence-worker', tasksApi.port)
  const deps = { ...service.deps, nextOccurrences: invokedNextOccurrences(dapr) }
  worker = { ...service, app: mountFunctions([createNextOccurrence], deps) }
  return () => tasksApi.close(100)
})

async function completed() {
  const user = service.newUser()
  service.at('2026-03-02T08:00:00Z')
  const { id } = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }
  await user.does('POST', `/api/tasks/${id}/complete`, undefined, headers)
  const message = (await takeMessages(service)).find(({ type }) => type === 'task.completed')!
  const made = async () => (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')
  return { message, made }
}

it('tasks-api makes one occurrence of a message that the worker gets ten times at once, in the trace of the request', async () => {
  const { message, made } = await completed()
  const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(worker, message)))
  expect(answers).toEqual(Array.from({ length: 10 }, () => ({ status: 'SUCCESS' })))
  const occurrences = await made()
  expect(occurrences).toHaveLength(1)
  expect(occurrences[0]!.traceparent).toContain(TRACE)
})

it('tasks-api makes one occurrence when daprd repeats the call', async () => {
  const { message, made } = await completed()
  instead.push(502)
  expect(await deliver(worker, message)).toEqual({ status: 'SUCCESS' })
  expect(await made()).toHaveLength(1)
})

it('tasks-api makes one occurrence when its answer is lost and the message comes again', async () => {
  const { message, made } = await completed()
  instead.push(500)
  expect(await deliver(worker, message)).toEqual({ status: 'RETRY' })
  expect(await deliver(worker, message)).toEqual({ status: 'SUCCESS' })
  expect(await made()).toHaveLength(1)
})
