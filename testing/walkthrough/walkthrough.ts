import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inheritedEnvironment } from '../../shared/config.ts'

// Executes the README as a newcomer does: starts Daybook, pastes its blocks into a shell, and checks what they print; lets
// the access token expire and refreshes it, with Daybook restarted in between; kills Daybook as the README says and looks for the
// data. The commands of docs/reminders.md follow. The minute until the reminder is shortened.
const ROOT = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')
const README = textOf('README.md')
const REMINDER_AFTER_MS = 3000
const LISTENS_FOR_S = 6
/** How it ends Daybook and its PostgreSQL at once. */
const KILL = /`(kill -9 [^`]+)`/.exec(README)?.[1] ?? 'false'
const VARIABLES = ['ADDRESS', 'TOKEN', 'REFRESH']

function block(name: string, document = README): string {
  const text = new RegExp(`\`\`\`sh ${name}\\n([\\s\\S]*?)\`\`\``).exec(document)?.[1]
  if (!text) throw new Error(`there is no block "${name}"`)
  return text
}

/** What a terminal knows after the walk-through: functions, and variables as they were printed. */
const helpers = block('walkthrough').slice(0, block('walkthrough').indexOf('session register'))

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
  const child = spawn(process.execPath, ['profiles/embedded/start.ts'], {
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

function shell(script: string, url: string): string {
  const here = script
    .replaceAll('http://127.0.0.1:8080', url)
    .replaceAll('.daybook/', `${dataDir}/`)
    .concat(...VARIABLES.map((name) => `\necho "${name}=\${${name}:-}"`))
  const result = spawnSync('bash', ['-euo', 'pipefail', '-c', here], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`the walk-through failed: ${result.stderr}\n${result.stdout}`)
  return result.stdout
}

/** The same terminal, later: its functions and variables are those of `before`. */
function later(before: string, url: string, script: string): string {
  const variables = VARIABLES.map((name) => `${name}=${variable(before, name)}`)
  return shell([helpers, ...variables, script].join('\n'), url)
}

const variable = (output: string, name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(output)?.[1] ?? ''

function expectIn(output: string, ...texts: string[]): void {
  for (const text of texts) if (!output.includes(text)) throw new Error(`no ${text} in:\n${output}`)
}

try {
  const first = await startDaybook()
  const output = shell(block('walkthrough') + inAShortWhile(block('reminder')), first.url)
  process.stdout.write(output.replaceAll(/^(ADDRESS|TOKEN|REFRESH)=.*\n/gm, ''))
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
  const LIST = 'daybook $URL/api/tasks'
  const expired = later(output.replace(/^TOKEN=.*$/m, 'TOKEN=expired'), second.url, LIST)
  expectIn(expired, '"status":401')
  const refreshed = later(expired, second.url, `${block('refresh')}${LIST}`)
  expectIn(refreshed, 'Water plants')
  if (variable(refreshed, 'REFRESH') === variable(output, 'REFRESH'))
    throw new Error('the refresh token is the same as before')
  const byHand = later(refreshed, second.url, block('by-hand', textOf('docs/reminders.md')))
  expectIn(byHand, '"label":', '"status":"snoozed"', '"status":"acknowledged"', '"webhook_secret":')
  if (byHand.includes('urn:daybook:problem'))
    throw new Error(`a command of docs/reminders.md failed:\n${byHand}`)
  const live = later(refreshed, second.url, block('changes'))
  expectIn(live, '"type":"connected"', '{"type":"task.created","data":{', '\n"type":"task.created"')
  spawnSync('bash', ['-c', KILL.replaceAll('.daybook/', `${dataDir}/`)])
  await once(second.child, 'exit')

  const third = await startDaybook()
  const again = later(expired, third.url, `${block('login')}${LIST}`)
  expectIn(again, 'Water plants')
  third.child.kill('SIGTERM')
  await once(third.child, 'exit')
  process.stdout.write(
    'The walk-through of the README works, also after 15 minutes, a restart and its kill -9; so do the commands of docs/reminders.md.\n',
  )
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
