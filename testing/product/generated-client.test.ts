import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ROOT } from '../worlds/source-files.ts'
import { product } from './harness/product.ts'

const run = promisify(execFile)
const HERE = `${ROOT}testing/generated-client`
const node = (...args: string[]) => run(process.execPath, args, { cwd: HERE })

const daybook = await product()

it(
  'a client generated from the API document compiles, registers, creates, hears a reminder, lists and completes',
  { timeout: 120_000 },
  async () => {
    mkdirSync(`${HERE}/generated`, { recursive: true })
    await node(
      'node_modules/openapi-typescript/bin/cli.js',
      `${ROOT}docs/openapi.json`,
      '-o',
      'generated/api.ts',
    )
    const compiled = await node('node_modules/typescript/bin/tsc', '-p', '.').catch(
      (error: { stdout: string }) => error,
    )
    expect(compiled.stdout).toBe('')

    const email = `${randomUUID()}@example.org`
    const { stdout } = await node('first-hour.ts', daybook.url, email)
    const { created, ...rest } = JSON.parse(stdout) as { created: { id: string } }
    expect(created).toMatchObject({ title: 'Pay rent', priority: 'medium', tags: [], due_at: null })
    expect(rest).toMatchObject({
      user: { email },
      reminded: { type: 'reminder', task_id: created.id },
      listed: ['Pay rent'],
      edited: { priority: 'high', color: 'red' },
      completed: true,
      reminderChannels: ['in_app'],
      tasks: 'available',
      refused: 'task.not_found',
    })
  },
)
