import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOf, ROOT, sourceFiles, type SourceFile } from '../testing/worlds/source-files.ts'

const everything = sourceFiles(['functions', 'shared', 'dapr', 'profiles', 'scripts', 'testing'])
const isTest = ({ path }: SourceFile) => path.endsWith('.test.ts') || path.startsWith('testing/')
/** What runs at its users'. */
const product = everything.filter((file) => !isTest(file) && !file.path.startsWith('scripts/'))
const within = (folder: string) => product.filter((file) => file.path.startsWith(`${folder}/`))

/** What the files of a folder may import: paths or packages; `types` only with `import type`. */
interface Rule {
  folder: string
  may: RegExp
  types?: RegExp
  why: string
}

const PORTS = /^shared\/app\/([\w-]+\/)?(ports|capabilities|task-query)\.ts$/

const RULES: Rule[] = [
  {
    folder: 'shared/domain',
    may: /^(shared\/domain\/|zod$|rrule$|temporal-polyfill$|chrono-node\/en$|canonicalize$|node:crypto$)/,
    why: 'decisions are pure: zod, the recurrence engine, the reader of dates, hashes and other domain files',
  },
  {
    folder: 'shared/app',
    may: /^(shared\/(app|domain)\/|zod$|node:crypto$)/,
    why: 'use cases decide with the domain and act through ports',
  },
  {
    folder: 'shared/kit',
    may: /^(shared\/(kit|openapi|identity|streams|domain|observability)\/|zod$|hono|@hono\/node-server$|uuid$|ws$|node:(crypto|http|net|stream|util|zlib)$)/,
    types: PORTS,
    why: 'the kit carries any product; of use cases it knows the types of the ports',
  },
  {
    folder: 'shared/openapi',
    may: /^(shared\/(openapi|kit|domain)\/|zod$|node:util$)/,
    types: PORTS,
    why: 'documents say what the specs of functions say',
  },
  {
    folder: 'shared/identity',
    may: /^(shared\/(identity|kit|domain)\/|zod$|hono|jose$|@zxcvbn-ts\/language-common$|node:(crypto|os|util)$)/,
    types: PORTS,
    why: 'adapters implement ports and know nothing else of use cases',
  },
  {
    folder: 'shared/streams',
    may: /^(shared\/(streams|kit|domain)\/|zod$|hono|@hono\/node-server$)/,
    types: PORTS,
    why: 'adapters implement ports and know nothing else of use cases',
  },
  {
    folder: 'shared/db',
    may: /^(shared\/(db|domain)\/|shared\/private-folder\.ts$|postgres$|zod$|node:)/,
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
    types: /^shared\/(app\/([\w-]+\/)?(ports|task-query)|dapr\/[\w-]+)\.ts$/,
    why: 'channels carry a message out and know nothing of why it is sent',
  },
  {
    folder: 'shared/mcp',
    may: /^(shared\/(mcp|kit|domain)\/|@modelcontextprotocol\/server$|node:crypto$)/,
    types: PORTS,
    why: 'tools call functions by requests and know no use case',
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
      /^(shared\/(kit|app|domain|mcp)\/|functions\/(routes|features)\.ts$|docs\/|zod$|hono|node:(fs\/promises|module)$)/
    const functions = within('functions').filter((file) => /^functions\/[^/]+\//.test(file.path))
    const wrong = functions.flatMap((file) =>
      file.imports.filter(({ from }) => !may.test(from)).map(({ from }) => `${file.path} imports ${from}`),
    )
    expect(functions).not.toEqual([])
    expect(wrong).toEqual([])
  })

  it('on functions/ are held by main.ts and the profiles only, except the generated tables', () => {
    const importers = product
      .filter((file) => file.imports.some(({ from }) => /^functions\/(?!(routes|features)\.ts$)/.test(from)))
      .map((file) => file.path)
    expect(
      importers.filter((path) => !/^(functions\/(main|serve-unit|start-unit)\.ts$|profiles\/)/.test(path)),
    ).toEqual([])
  })

  it('on tests, benches and commands are held by none of what runs at its users', () => {
    const importers = product.flatMap((file) =>
      file.imports
        .filter(({ from }) => /^(testing\/|bench\/|scripts\/|vitest|fast-check|msw|ajv)/.test(from))
        .map(({ from }) => `${file.path} imports ${from}`),
    )
    expect(importers).toEqual([])
  })

  it('on files of ours exist', () => {
    const dangling = everything.flatMap((file) =>
      file.imports
        .filter(
          ({ from }) =>
            /^(functions|shared|dapr|profiles|scripts|testing|docs)\//.test(from) &&
            // Made by the test that compiles it.
            !from.includes('/generated/') &&
            !existsSync(ROOT + from),
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
    expect(others).toEqual(['testing/worlds/postgres-server.ts'])
  })
})

describe('product code', () => {
  it('has at most 20 files in a folder', () => {
    const files = product.filter(({ path }) => !/^functions\/[^/]+\//.test(path))
    const crowded = [...Map.groupBy(files, ({ path }) => dirname(path))].filter(
      ([, { length }]) => length > 20,
    )
    expect(crowded.map(([folder, { length }]) => `${folder}: ${length}`)).toEqual([])
  })

  it('reads the environment in shared/config.ts and nowhere else', () => {
    const readers = containing(product, /\bprocess\s*\.\s*env\b/)
    expect(readers).toEqual(['shared/config.ts'])
  })

  // The embedded sidecar is a program of its own, so it has a place of its own for them.
  it('takes time and chance from shared/kit/system.ts and nowhere else', () => {
    const pattern = /\bnew Date\(\)|\bDate\.now\(|\bMath\.random\(|\brandom(UUID|Bytes)\b|\bTemporal\.Now\b/
    expect(containing(product, pattern)).toEqual(['dapr/embedded/sidecar.ts', 'shared/kit/system.ts'])
  })

  // Of sockets and of a statement that is under way, what is waited for is real.
  it('waits by the timer of its process', () => {
    const pattern = /\bset(Timeout|Interval)\(|\bnode:timers\/promises\b/
    const deployed = product.filter(({ path }) => /^(functions|shared)\//.test(path))
    expect(deployed.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([
      'shared/dapr/transport.ts',
      'shared/db/transaction.ts',
      'shared/kit/edge/connections.ts',
      'shared/kit/edge/parser-errors.ts',
      'shared/kit/edge/serve.ts',
      'shared/kit/system.ts',
    ])
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
