import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, sourceFiles } from '../testing/worlds/source-files.ts'

const documents = globSync(['*.md', 'docs/**/*.md', 'functions/**/*.md'], { cwd: ROOT }).map((path) => ({
  path,
  text: readFileSync(ROOT + path, 'utf8'),
}))
const decisions = documents.filter(({ path }) => /^docs\/decisions\/\d{3}-/.test(path))

/** Headings as GitHub makes anchors of them. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

const textAt = (path: string): string => readFileSync(ROOT + path, 'utf8')

function brokenLinks({ path, text }: { path: string; text: string }): string[] {
  const targets = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target]) => target!)
  return targets
    .filter((target) => {
      const [file = '', anchor] = target.split('#')
      const there = file === '' ? path : posix.join(dirname(path), file)
      return !existsSync(ROOT + there) || (anchor !== undefined && !anchorsOf(textAt(there)).includes(anchor))
    })
    .map((target) => `${path}: ${target}`)
}

/** What `npm run dapr:build`, a test run or a start puts there. */
const MADE = /^tools\/(dapr\/bin|kafka\/lib)/

function missingFiles({ path, text }: { path: string; text: string }): string[] {
  const named = [
    ...text.matchAll(
      /`((?:functions|shared|dapr|profiles|scripts|testing|bench|docs|charts|knative|patches|tools)\/[\w./+-]+)`/g,
    ),
  ].map(([, file]) => file!)
  return named
    .filter((file) => !MADE.test(file) && !existsSync(ROOT + file))
    .map((file) => `${path}: ${file}`)
}

describe('documents', () => {
  it('link to files and headings that exist', () => {
    expect(documents.flatMap(brokenLinks)).toEqual([])
  })

  it('name files that exist', () => {
    expect(documents.flatMap(missingFiles)).toEqual([])
  })

  it('name constants that exist, by the names that they have', () => {
    const code = sourceFiles(['functions', 'shared', 'dapr', 'profiles', 'scripts', 'bench'])
      .map(({ text }) => text)
      .join('\n')
    const gone = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:MAX|MIN)_[A-Z0-9_]+|[A-Z][A-Z0-9_]+_MS)`/g)]
        .filter(([, name]) => !new RegExp(`\\b${name}\\b`).test(code))
        .map(([, name]) => `${path}: ${name}`),
    )
    expect(gone).toEqual([])
  })

  it('keep the map of the codebase within 120 lines', () => {
    expect(textAt('CODEBASE.md').split('\n').length - 1).toBeLessThanOrEqual(120)
  })
})

describe('decisions', () => {
  it('are in the index, with number and title, each in one line', () => {
    const lines = decisions
      .toSorted((a, b) => a.path.localeCompare(b.path))
      .map(({ path, text }) => {
        const [, number, title] = /^# (\d{3}) — (.+)\n/.exec(text) ?? []
        return `[${number}](${basename(path)}) ${title}`
      })
    const index = textAt('docs/decisions/README.md')
    const rows = [...index.matchAll(/^\| (\[\d+\]\([^)]+\)) *\| ([^|]+?) *\|/gm)]
    expect(rows.map(([, link, title]) => `${link} ${title}`)).toEqual(lines)
  })

  it('are a page each: at most 500 words', () => {
    const words = (text: string) => text.match(/\S*[\p{L}\p{N}]\S*/gu)?.length ?? 0
    const long = decisions.filter(({ text }) => words(text) > 500)
    expect(long.map(({ path, text }) => `${path}: ${words(text)}`)).toEqual([])
  })
})
