import { expect, it } from 'vitest'
import { z } from 'zod'
import { TaskCreated } from '../domain/events.ts'
import { cronFunction } from './cron-function.ts'
import { httpFunction } from './http-function.ts'
import { jobFunction } from './job-function.ts'
import { routesFunction } from './routes-function.ts'
import { topicFunction } from './topic-function.ts'

// The proof is that tsc takes this file: an error that is expected and does not come is an error.
it('a function gets what it says it uses, and nothing else', () => {
  const functions = [
    httpFunction({
      route: 'GET /api/numbers',
      summary: 'Numbers',
      auth: 'none',
      uses: ['tasks'],
      handle: async ({ deps }) => {
        void deps.tasks
        // @ts-expect-error -- not declared
        void deps.identity
        return { body: deps.clock.now() }
      },
    }),
    topicFunction({
      on: [TaskCreated],
      uses: [],
      // @ts-expect-error -- not declared
      handle: async ({ deps }) => void deps.publishing,
    }),
    jobFunction({
      job: 'count',
      data: z.object({}),
      uses: ['jobs'],
      // @ts-expect-error -- not declared
      handle: async ({ deps }) => void deps.reminders,
    }),
    cronFunction({
      schedule: '@every 1h',
      uses: [],
      // @ts-expect-error -- not declared
      wakesOn: 'dueReminders',
      // @ts-expect-error -- not declared
      handle: async (deps) => void deps.housekeeping,
    }),
    routesFunction({
      serves: ['GET /'],
      uses: [],
      // @ts-expect-error -- not declared
      routes: (_, deps) => void deps.upstreams,
    }),
  ]
  expect(functions.map(({ uses }) => uses)).toEqual([['tasks'], [], ['jobs'], [], []])
})
