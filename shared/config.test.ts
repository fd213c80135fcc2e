import { expect, it } from 'vitest'
import { readConfig } from './config.ts'

it.each([
  [{ PORT: '70000' }, 'PORT: must be a whole number from 0 to 65535'],
  [{ PORT: 'x' }, 'PORT: must be a whole number from 0 to 65535'],
  [{ MAX_TASK_BYTES: '1.5' }, 'MAX_TASK_BYTES: must be a whole number from 1 to 1000000000'],
  [{ RATE_LIMIT_PER_SECOND: '-1' }, 'RATE_LIMIT_PER_SECOND: must be a number from 0 to 100000'],
  [{ PUBLIC_URL: 'x' }, 'PUBLIC_URL: must be a URL such as https://daybook.example.org'],
])('says of %j how the setting must be', (env, words) => {
  expect(() => readConfig(env)).toThrow(words)
})
