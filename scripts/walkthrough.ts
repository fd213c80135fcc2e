import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inheritedEnvironment } from '../shared/config.ts'

// Does what the README tells a newcomer: starts Daybook, pastes the walk-through into a shell, checks what it shows,
// then stops and starts Daybook again and looks whether the data is there. The minute until the reminder is shortened.
const ROOT = new URL('../', import.meta.url)
const README = readFileSync(new URL('README.md', ROOT), 'utf8')
const REMINDER_AFTER_MS = 3000
const LISTENS_FOR_S = 6
const walkthrough = block('walkthrough') + inAShortWhile(block('reminder'))

function block(name: string): string {
  const text = new RegExp(`\`\`\`sh ${name}\\n([\\s\\S]*?)\`\`\``).exec(README)?.[1]
  if (!text) throw new Error(`the README has no block "${name}"`)
  return text
}

function inAShortWhile(text: string): string {
  const short = text
    .replace('60_000', String(REMINDER_AFTER_MS))
    .replace('--max-time 70', `--max-time ${LISTENS_FOR_S}`)
  if (short.includes('60_000') || short.includes('70')) throw new Error('the reminder of the README changed')
  return short
}

const children: ChildProcess[] = []
const dataDir = mkdtempSync(join(tmpdir(), 'daybook-walkthrough-'))
chmodSync(dataDir, 0o755)

async function startDaybook() {
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: ROOT,
    env: { ...inheritedEnvironment(), PORT: '0', DAYBOOK_DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^Daybook is ready at (\S+)$/.exec(line)?.[1]
    if (url) return { url, child }
  }
  throw new Error('Daybook did not start')
}

function shell(script: string): string {
  const result = spawnSync('bash', ['-euo', 'pipefail', '-c', script], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`the walk-through failed: ${result.stderr}`)
  return result.stdout
}

function expectIn(output: string, ...texts: string[]): void {
  for (const text of texts) if (!output.includes(text)) throw new Error(`no ${text} in:\n${output}`)
}

try {
  const first = await startDaybook()
  const here = walkthrough
    .replaceAll('http://127.0.0.1:8080', first.url)
    .replaceAll('.daybook/mailbox', join(dataDir, 'mailbox'))
  const output = shell(`${here}\necho "TOKEN=$TOKEN"`)
  process.stdout.write(output.replace(/TOKEN=.*/, ''))
  expectIn(
    output,
    'Sent again, still the same task: 0',
    "due_at: '2027-03-22T08:00:00.000Z'",
    'task.occurrence.generated',
    "status: 'scheduled'",
    'event: connected',
    'unread: 1',
    'Subject: ',
  )
  const reminded = output.match(/^event: reminder$/gm)?.length
  if (reminded !== 1) throw new Error(`one reminder was to come, there came ${reminded ?? 0}`)
  const created = output.match(/"type":"task\.created"/g)?.length
  if (created !== 1) throw new Error(`one task was to be created, there were ${created}`)
  first.child.kill('SIGTERM')
  const [code] = (await once(first.child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`Daybook ended with ${code}`)

  const second = await startDaybook()
  const token = /TOKEN=(\S+)/.exec(output)?.[1]
  expectIn(shell(`curl -s -H 'authorization: Bearer ${token}' ${second.url}/api/tasks`), 'Water plants')
  second.child.kill('SIGTERM')
  await once(second.child, 'exit')
  process.stdout.write('The walk-through of the README works, and the data is there after a restart.\n')
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
