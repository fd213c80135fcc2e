import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'

const ROOT = new URL('..', import.meta.url).pathname

it.each([
  [['cron', 'every day'], '"every day" is no schedule'],
  [['cron'], '"" is no schedule'],
  [['http', 'POST /api/tasks/:task/complete'], 'is served by functions/tasks/complete-task.ts already.'],
  [['topic', 'task.eaten'], 'There is no event "task.eaten"'],
  [['http', '/api/habits'], '"/api/habits" is no route.'],
  [['http', 'GET /api/habits', '--bogus'], "Unknown option '--bogus'"],
])('npm run new habits/try-habit %j writes nothing and says: %s', (args, words) => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['scripts/new-function.ts', 'habits/try-habit', ...args],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  )
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(words) })
  expect(existsSync(`${ROOT}functions/habits`)).toBe(false)
})
