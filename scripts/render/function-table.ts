import { stringify } from 'yaml'
import { TOPIC_SETTINGS } from '../../shared/domain/topics.ts'
import { bindingOf, cronRouteOf } from '../../shared/kit/cron-function.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { appOf } from '../../shared/kit/units.ts'
import { header } from './generated.ts'
import type { Code, UnitSpec } from './units.ts'

/**
 * Everything the charts need to know: one entry for each unit, with its functions, and which apps there are of each
 * granularity. `functions` of an app are those it runs: all of its unit where there are none.
 */
export const chartTable = ({ units, functions }: Code): string =>
  header('the functions') +
  stringify(
    {
      units: Object.fromEntries(units.map((unit) => [unit.id, chartEntry(unit)])),
      apps: {
        unit: units.map(({ id }) => ({ app: id, unit: id, functions: [] })),
        function: units.flatMap(appsOf),
      },
      topics: TOPIC_SETTINGS,
      everywhere: functions
        .filter((fn) => !units.some((unit) => unit.functions.includes(fn)))
        .map(({ name }) => name),
    },
    { singleQuote: true, lineWidth: 0 },
  )

const chartEntry = (unit: UnitSpec) => ({
  scaling: unit.scaling,
  public: unit.isGateway,
  called: unit.scaling.kind === 'knative',
  // What comes through its sidecar: events, jobs, ticks.
  receives: unit.functions.some(({ kind }) => kind === 'topic' || kind === 'job' || kind === 'cron'),
  ...unit.needs,
  jobs: unit.functions.some((fn) => fn.kind === 'job' || fn.uses.includes('jobs')),
  functions: Object.fromEntries(unit.functions.map((fn) => [fn.name, functionEntry(fn)])),
})

const appsOf = (unit: UnitSpec) =>
  unit.scaling.kind === 'knative'
    ? unit.functions.map((fn) => ({ app: appOf(fn, 'function'), unit: unit.id, functions: [fn.name] }))
    : [{ app: unit.id, unit: unit.id, functions: [] }]

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
    case 'cron': {
      const { schedule, wakesOn, everyMs } = fn
      return { kind, binding: bindingOf(fn), path: cronRouteOf(fn), schedule, wakesOn, everyMs, uses }
    }
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
