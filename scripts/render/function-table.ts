import { stringify } from 'yaml'
import { bindingOf } from '../../shared/kit/cron-function.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { header } from './generated.ts'
import type { Code, UnitSpec } from './units.ts'

/** Everything the charts need to know: one entry for each unit, with its functions. */
export const chartTable = ({ units, functions }: Code): string =>
  header('the functions') +
  stringify(
    {
      units: Object.fromEntries(units.map((unit) => [unit.id, chartEntry(unit)])),
      everywhere: functions
        .filter((fn) => !units.some((unit) => unit.functions.includes(fn)))
        .map(({ name }) => name),
    },
    { singleQuote: true, lineWidth: 0 },
  )

const chartEntry = ({ functions, needs, scaling, isGateway, hasStreams }: UnitSpec) => ({
  scaling,
  public: isGateway,
  streams: hasStreams,
  ...needs,
  jobs: functions.some((fn) => fn.kind === 'job' || fn.uses.includes('jobs')),
  functions: Object.fromEntries(functions.map((fn) => [fn.name, functionEntry(fn)])),
})

function functionEntry(fn: DaybookFunction): object {
  const { kind, uses } = fn
  switch (fn.kind) {
    case 'http':
      return { kind, routes: fn.paths.map((path) => `${fn.method} ${path}`), scope: fn.spec.auth, uses }
    case 'routes':
      return { kind, routes: fn.serves, uses }
    case 'topic':
      return { kind, topics: fn.topics, uses }
    case 'job':
      return { kind, job: fn.job, uses }
    case 'cron':
      return { kind, binding: bindingOf(fn), schedule: fn.schedule, wakesOn: fn.wakesOn, uses }
  }
}

/** The same for people: docs/functions.md. */
export function functionDocs({ units, functions }: Code, about: (service: string) => string): string {
  const services = [...new Set(functions.map(({ name }) => name.split('/')[0]!))]
  const unitOf = (fn: DaybookFunction) =>
    units.find((unit) => unit.functions.includes(fn))?.id ?? 'every unit'
  const sections = services.map((service) => {
    const rows = functions
      .filter(({ name }) => name.startsWith(`${service}/`))
      .map(
        (fn) =>
          `| [${fn.name}](../functions/${fn.name}.ts) | ${triggerOf(fn)} | ${scopeOf(fn)} | ${fn.uses.join(', ')} | ${unitOf(fn)} |`,
      )
    return `## ${service}\n\n${about(service)}.\n\n| function | begins with | scope | uses | unit |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return `<!-- Generated from the functions by \`npm run render\`; not to be edited. -->\n\n# Functions\n\n${sections.join('\n')}`
}

function triggerOf(fn: DaybookFunction): string {
  switch (fn.kind) {
    case 'http':
      return fn.paths.map((path) => `\`${fn.method} ${path}\``).join(', ')
    case 'routes':
      return fn.serves.map((route) => `\`${route}\``).join(', ') || 'what no other unit serves here'
    case 'topic':
      return `events of ${fn.topics.join(', ')}`
    case 'job':
      return `jobs \`${fn.job}-<id>\``
    case 'cron':
      return `\`${fn.schedule}\`${fn.wakesOn ? `, ${fn.wakesOn}` : ''}`
  }
}

const scopeOf = (fn: DaybookFunction): string => {
  if (fn.kind !== 'http') return ''
  return fn.spec.auth === 'none' ? 'open' : `\`${fn.spec.auth}\``
}
