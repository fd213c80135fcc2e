/**
 * Writes a function and its test from the templates beside this file, ready to run, and renders what follows from it:
 *
 *   npm run new tasks/archive-task http 'POST /api/tasks/:id/archive'
 *   npm run new reminders/plan-reminders topic task.created
 *   npm run new reminders/sweep-due-reminders cron '@every 5m'
 *   npm run new reminders/fire-reminder job
 *   npm run new calendar/show-feed routes 'GET /calendar.ics'
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSchedule } from '../dapr/embedded/jobs/cron-schedule.ts'
import { ROUTES } from '../functions/routes.ts'
import * as events from '../shared/domain/events.ts'
import { readArguments } from '../shared/arguments.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const USAGE = `npm run new <service>/<verb-noun> http 'POST /api/…' | topic <event.type> | cron '@every 5m' | job | routes 'GET /…'`
const ID = '0199d0a0-0000-7000-8000-000000000000'

class UsageError extends Error {}

const camel = (name: string) => name.replaceAll(/[-.](\w)/g, (_, letter: string) => letter.toUpperCase())
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** What the placeholders of a kind's templates stand for. */
const VALUES: Record<string, (basename: string, detail: string) => Record<string, string>> = {
  http: (basename, route) => {
    const { method, path } = parseRoute(route)
    const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '')
    const answerName = capital(camel(basename))
    const fields = names.map((name) => `${name}: z.uuid()`).join(', ')
    const takesIds = names.length > 0
    const example = takesIds ? Object.fromEntries(names.map((name) => [name, ID])) : { done: true }
    const access = method === 'GET' ? 'read' : 'write'
    return {
      route,
      method,
      answerName,
      scope: `${path.startsWith('/api/tasks') ? 'tasks' : 'account'}:${access}`,
      alias: path.replace('/api/', '/api/:user_id/'),
      example: JSON.stringify(example),
      path: path.replaceAll(/:\w+/g, ID),
      schema: `z.object({ ${takesIds ? fields : 'done: z.literal(true)'} })`,
      taskPath: path.replace(':id', '${String(task.id)}'),
      params: takesIds ? `params: ${answerName},` : '',
      input: takesIds ? '{ params }' : '',
      body: takesIds ? 'params' : '{ done: true }',
    }
  },
  routes: (_, route) => ({ ...parseRoute(route), route }),
  topic: (_, type) => {
    const found = Object.entries(events).find(
      ([, value]) => typeof value === 'object' && 'type' in value && value.type === type,
    )
    const topic = events.definitionOf(type)?.topic
    if (!found || !topic) throw new UsageError(`There is no event "${type}" in shared/domain/events.ts.`)
    return { definition: found[0], type, topic }
  },
  cron: (_, schedule) => {
    try {
      parseSchedule(schedule, { fields: 'five-or-six' })
    } catch {
      throw new UsageError(`"${schedule}" is no schedule; '@every 5m' and '0 3 * * *' are.`)
    }
    return { schedule }
  },
  job: () => ({}),
}

function parseRoute(route: string): { method: string; path: string } {
  if (!/^(GET|POST|PUT|PATCH|DELETE) \/\S+$/.test(route)) throw new UsageError(`"${route}" is no route.`)
  const owner = Object.entries(ROUTES).find(([served]) => shapeOf(served) === shapeOf(route))?.[1]
  if (owner) throw new UsageError(`${route} is served by functions/${owner}.ts already.`)
  const [method = '', path = ''] = route.split(' ')
  return { method, path }
}

/** Names of parameters make no other route. */
const shapeOf = (route: string) => route.replaceAll(/:\w+/g, ':')

function create(name: string, kind: string, detail: string): string[] {
  const [service = '', basename = ''] = name.split('/')
  const valuesOf = VALUES[kind]
  if (!valuesOf || !/^[a-z]+\/[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) throw new UsageError(`Usage: ${USAGE}`)
  const sentence = capital(basename.replaceAll('-', ' '))
  const values: Record<string, string> = { name, basename, sentence, ...valuesOf(basename, detail) }
  const fill = (template: string) =>
    readFileSync(`${ROOT}scripts/templates/${template}.txt`, 'utf8').replaceAll(
      /\{\{(\w+)\}\}/g,
      (_, key: string) => values[key] ?? '',
    )

  // A route of one task begins with finding it, so that it hides other people's tasks from its first line on.
  const template = detail.includes(' /api/tasks/:id') ? 'http-task' : kind
  const files = [`functions/${service}/${basename}.ts`, `functions/${service}/${basename}.test.ts`]
  if (existsSync(ROOT + files[0])) throw new UsageError(`${files[0]} is there already.`)
  mkdirSync(dirname(ROOT + files[0]), { recursive: true })
  writeFileSync(ROOT + files[0], fill(`${template}-function`))
  writeFileSync(ROOT + files[1], fill(`${template}-test`))
  return files
}

const { positionals } = readArguments(USAGE, { allowPositionals: true })
try {
  const [name = '', kind = '', detail = ''] = positionals
  const files = create(name, kind, detail)
  execFileSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', ...files], {
    cwd: ROOT,
  })
  execFileSync(process.execPath, ['scripts/render.ts'], { cwd: ROOT, stdio: 'inherit' })
  const first = kind === 'topic' ? 'make the events of its test, then ' : ''
  console.log(`Written: ${files.join(', ')}. Next: ${first}npm run check && npm test -- ${files[1]}`)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
