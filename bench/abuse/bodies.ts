import { randomUUID } from 'node:crypto'

const MIB = 1024 * 1024
const dueAt = new Date(Date.now() + 60_000).toISOString()

/** What is sent as a new task by those who mean no task: nearly 1 MiB of whatever is costly to read or to check, and more. */
export const BODIES: Readonly<Record<string, string>> = {
  'a title of 1 MB': JSON.stringify({ title: 'x'.repeat(MIB - 20) }),
  '100,000 tags': JSON.stringify({
    title: 'Tags',
    tags: Array.from({ length: 100_000 }, (_, nth) => `t${nth}`),
  }),
  '30,000 exdates': JSON.stringify({ title: 'Dates', exdates: Array<string>(30_000).fill(dueAt) }),
  '400,000 brackets': `{"title":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
  '60,000 unknown fields': `{${Array.from({ length: 60_000 }, (_, nth) => `"field${nth}":1`).join(',')}}`,
  'more than 2 MB': JSON.stringify({ title: 'Too large', description: 'x'.repeat(2 * MIB) }),
}

/** As many ids as an order may have, of no task. */
export const LONG_ORDER = JSON.stringify({ task_ids: Array.from({ length: 10_000 }, () => randomUUID()) })
