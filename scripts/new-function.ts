/**
 * Writes a function and its test from the templates beside this file, ready to run:
 *
 *   npm run new tasks/archive-task http 'POST /api/tasks/:id/archive'
 *   npm run new reminders/plan-reminders topic task.created
 *   npm run new reminders/sweep-due-reminders cron '@every 5m'
 *   npm run new reminders/fire-reminder job
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { definitionOf } from '../shared/domain/events.ts'
import { unitOf, type FunctionKind } from '../shared/kit/units.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const USAGE = `Usage: npm run new <service>/<verb-noun> http 'POST /api/…' | topic <event.type> | cron '@every 5m' | job`
const ID = '0199d0a0-0000-7000-8000-000000000000'

class UsageError extends Error {}

const camel = (name: string) => name.replaceAll(/[-.](\w)/g, (_, letter: string) => letter.toUpperCase())
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** What the placeholders of a kind's templates stand for. */
const VALUES: Record<string, (basename: string, detail: string) => Record<string, string>> = {
  http: (basename, route) => {
    if (!/^(GET|POST|PUT|PATCH|DELETE) \/\S+$/.test(route)) throw new UsageError(`"${route}" is no route.`)
    const [method = '', path = ''] = route.split(' ')
    const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '')
    const answerName = capital(camel(basename))
    const fields = names.map((name) => `${name}: z.uuid()`).join(', ')
    const takesIds = names.length > 0
    const example = takesIds ? Object.fromEntries(names.map((name) => [name, ID])) : { done: true }
    return {
      ...{ route, method, answerName, example: JSON.stringify(example), path: path.replaceAll(/:\w+/g, ID) },
      schema: `z.object({ ${takesIds ? fields : 'done: z.literal(true)'} })`,
      taskPath: path.replace(':id', '${String(task.id)}'),
      params: takesIds ? `params: ${answerName},` : '',
      input: takesIds ? '{ params }' : '',
      body: takesIds ? 'params' : '{ done: true }',
    }
  },
  topic: (_, type) => {
    const definition = definitionOf(type)
    if (!definition) throw new UsageError(`There is no event "${type}" in shared/domain/events.ts.`)
    return { definition: nameOfDefinition(type), topic: definition.topic }
  },
  cron: (basename, schedule) => {
    if (schedule === '') throw new UsageError("A cron function needs a schedule, such as '@every 5m'.")
    return { binding: `${basename}-cron`, schedule }
  },
  job: () => ({}),
}

/** The constant that shared/domain/events.ts gives an event type to, such as TaskCreated. */
function nameOfDefinition(type: string): string {
  const source = readFileSync(`${ROOT}shared/domain/events.ts`, 'utf8')
  return new RegExp(`const (\\w+) = define\\(\\s*'${type.replaceAll('.', '\\.')}'`).exec(source)?.[1] ?? ''
}

function create(name: string, kind: string, detail: string): string[] {
  const [service = '', basename = ''] = name.split('/')
  const valuesOf = VALUES[kind]
  if (!valuesOf || !/^[a-z]+\/[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) throw new UsageError(USAGE)
  const sentence = capital(basename.replaceAll('-', ' '))
  const unit = unitOf({ name, kind: kind as FunctionKind })
  const values: Record<string, string> = {
    basename,
    sentence,
    unit: unit ?? '',
    ...valuesOf(basename, detail),
  }
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
  files.push(...(unit === null ? [] : admitUnit(unit)))
  if (kind !== 'cron') return files
  appendFileSync(`${ROOT}dapr/components/cron.yaml`, fill('cron-component'))
  return [...files, 'dapr/components/cron.yaml']
}

/** A new unit publishes and may take secrets, so it comes into the scopes of these components and their variants. */
function admitUnit(unit: string): string[] {
  const shared = ['components', 'variants'].flatMap((folder) =>
    readdirSync(`${ROOT}dapr/${folder}`)
      .filter((file) => /^(pubsub|secretstore)\b/.test(file))
      .map((file) => `dapr/${folder}/${file}`),
  )
  return shared.filter((file) => {
    const [head = '', scopes = ''] = readFileSync(ROOT + file, 'utf8').split(/^(?=scopes:$)/m)
    const units: string[] = scopes.match(/(?<=^ {2}- ).+$/gm) ?? []
    if (units.includes(unit)) return false
    const lines = [...units, unit].toSorted().map((id) => `  - ${id}\n`)
    writeFileSync(ROOT + file, `${head}scopes:\n${lines.join('')}`)
    return true
  })
}

try {
  const [name = '', kind = '', detail = ''] = process.argv.slice(2)
  const files = create(name, kind.replace(/^--/, ''), detail)
  execFileSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', ...files], {
    cwd: ROOT,
  })
  execFileSync(process.execPath, ['scripts/generate.ts'], { cwd: ROOT, stdio: 'inherit' })
  console.log(`Written: ${files.join(', ')}. Next: npm run check && npm test -- ${files[1]}`)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
