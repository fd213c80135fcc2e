import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOf, ROOT, sourceFiles, type SourceFile } from './testing/source-files.ts'

const everything = sourceFiles(['functions', 'shared', 'dapr', 'scripts'])
const isTest = (file: SourceFile) => file.path.endsWith('.test.ts') || file.path.includes('/testing/')
const product = everything.filter((file) => !isTest(file))
const within = (folder: string) => product.filter((file) => file.path.startsWith(`${folder}/`))

/** What the files of a folder may import: paths or packages; `types` only with `import type`. */
interface Rule {
  folder: string
  may: RegExp
  types?: RegExp
  why: string
}

const PORTS = /^shared\/app\/([\w-]*ports|task-query)\.ts$/

const RULES: Rule[] = [
  {
    folder: 'shared/domain',
    may: /^(shared\/domain\/|zod$|rrule$|temporal-polyfill$)/,
    why: 'decisions are pure: zod, the recurrence engine and other domain files',
  },
  {
    folder: 'shared/app',
    may: /^(shared\/(app|domain)\/|zod$|node:(crypto|timers\/promises)$)/,
    why: 'use cases decide with the domain and act through ports',
  },
  {
    folder: 'shared/kit',
    may: /^(shared\/(kit|domain|observability)\/|zod$|hono|@hono\/node-server$|jose$|uuid$|node:(crypto|http|net|util)$)/,
    types: PORTS,
    why: 'the kit carries any product; of use cases it knows the types of the ports',
  },
  {
    folder: 'shared/db',
    may: /^(shared\/(db|domain)\/|postgres$|zod$|node:)/,
    types: PORTS,
    why: 'adapters implement ports and know nothing else of use cases',
  },
  {
    folder: 'shared/dapr',
    may: /^(shared\/(dapr|domain)\/|undici$|zod$)/,
    types: PORTS,
    why: 'adapters implement ports and know nothing else of use cases',
  },
  {
    folder: 'shared/channels',
    may: /^(shared\/(channels|domain|dapr\/dapr-error)\b|web-push$|jose$|undici$|zod$|hono\/html$|node:)/,
    types: /^shared\/(app\/([\w-]*ports|task-query)|dapr\/[\w-]+)\.ts$/,
    why: 'channels carry a message out and know nothing of why it is sent',
  },
  {
    folder: 'shared/observability',
    may: /^(shared\/observability\/|pino$|node:)/,
    types: PORTS,
    why: 'logging serves everyone and depends on no one',
  },
  {
    folder: 'dapr/embedded',
    may: /^(dapr\/embedded\/|shared\/(db\/connect|observability\/)|hono|zod$|yaml$|croner$|node:)/,
    types: /^postgres$/,
    why: 'the embedded sidecar is a program of its own that knows no task',
  },
]

function breaches({ folder, may, types }: Rule): string[] {
  return within(folder).flatMap((file) =>
    file.imports
      .filter(({ from, typeOnly }) => !may.test(from) && !(typeOnly && types?.test(from)))
      .map(({ from }) => `${file.path} imports ${from}`),
  )
}

const containing = (files: readonly SourceFile[], pattern: RegExp) =>
  files.filter((file) => pattern.test(codeOf(file))).map((file) => file.path)

describe('dependencies', () => {
  it.each(RULES)('of $folder keep the rule: $why', (rule) => {
    expect(within(rule.folder)).not.toEqual([])
    expect(breaches(rule)).toEqual([])
  })

  it('of a function are the kit, use cases and the domain, never another function', () => {
    const may =
      /^(shared\/(kit|app|domain)\/|functions\/routes\.ts$|docs\/|zod$|hono|node:(fs\/promises|module)$)/
    const functions = within('functions').filter((file) => /^functions\/[^/]+\//.test(file.path))
    const wrong = functions.flatMap((file) =>
      file.imports.filter(({ from }) => !may.test(from)).map(({ from }) => `${file.path} imports ${from}`),
    )
    expect(functions).not.toEqual([])
    expect(wrong).toEqual([])
  })

  it('on functions/ are held by main.ts, scripts and tests only, except the table of routes', () => {
    const importers = product
      .filter((file) => file.imports.some(({ from }) => /^functions\/(?!routes\.ts$)/.test(from)))
      .map((file) => file.path)
    expect(importers.filter((path) => !/^(functions\/main\.ts$|scripts\/)/.test(path))).toEqual([])
  })

  it('on what only tests use are held by tests only', () => {
    const importers = product.filter((file) =>
      file.imports.some(({ from }) =>
        /^((shared|dapr\/embedded)\/testing\/|vitest|fast-check|msw|ajv)/.test(from),
      ),
    )
    // Tests that run by themselves.
    const suites = ['scripts/chaos.ts', 'scripts/faults.ts', 'scripts/reminder-walkthrough.ts']
    expect(importers.map((file) => file.path).filter((path) => !suites.includes(path))).toEqual([])
  })

  it('on files of ours exist', () => {
    const dangling = everything.flatMap((file) =>
      file.imports
        .filter(
          ({ from }) => /^(functions|shared|dapr|scripts|docs)\//.test(from) && !existsSync(ROOT + from),
        )
        .map(({ from }) => `${file.path} imports ${from}`),
    )
    expect(dangling).toEqual([])
  })
})

describe('files', () => {
  it('are named by their topic', () => {
    const banned = /^(utils?|helpers?|common|misc|types|constants|index)(\.test)?\.ts$/
    expect(everything.map((file) => file.path).filter((path) => banned.test(basename(path)))).toEqual([])
  })

  it('export by name, except functions and the set-up that vitest asks for', () => {
    const defaults = containing(everything, /^export default\b/m)
    const others = defaults.filter((path) => !/^functions\/[^/]+\/[^/]+\.ts$/.test(path))
    expect(others).toEqual(['shared/testing/postgres-server.ts'])
  })
})

describe('product code', () => {
  // The walk-through starts Daybook as a person does and hands its own environment on.
  it('reads the environment in shared/config.ts and nowhere else', () => {
    const readers = containing(product, /\bprocess\s*\.\s*env\b/)
    expect(readers.filter((path) => path !== 'scripts/walkthrough.ts')).toEqual(['shared/config.ts'])
  })

  // The embedded sidecar is a program of its own, so it has a place of its own for them.
  it('takes time and chance from shared/kit/system.ts and nowhere else', () => {
    const pattern = /\bnew Date\(\)|\bDate\.now\(|\bMath\.random\(|\brandom(UUID|Bytes)\b|\bTemporal\.Now\b/
    const others = product.filter((file) => !file.path.startsWith('scripts/'))
    expect(containing(others, pattern)).toEqual(['dapr/embedded/sidecar.ts', 'shared/kit/system.ts'])
  })

  it('keeps each constructor of functions on two screens', () => {
    const lengths = ['http', 'topic', 'job', 'cron'].map((kind) => {
      const text = everything.find((file) => file.path === `shared/kit/${kind}-function.ts`)?.text ?? ''
      const constructor = new RegExp(`^export function ${kind}Function[\\s\\S]*?^}`, 'm').exec(text)?.[0]
      return constructor?.split('\n').length ?? Infinity
    })
    expect(Math.max(...lengths)).toBeLessThanOrEqual(80)
  })
})
