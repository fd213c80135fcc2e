import { readdirSync, readFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceFile {
  /** Path from the root of the repository, such as `shared/domain/tasks/task.ts`. */
  path: string
  text: string
  imports: { from: string; typeOnly: boolean }[]
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Every TypeScript file below the given folders, read once, with what it imports (own files by path from the root). */
export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) =>
      readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file}`,
      ),
    )
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .toSorted()
    .map((path) => {
      const text = readFileSync(`${ROOT}${path}`, 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
}

const STATIC = /^(?:import|export)\s+(type\s)?[^'"`;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm
const DYNAMIC = /\bimport\('([^']+)'/g

function importsOf(path: string, text: string): SourceFile['imports'] {
  const found = [
    ...[...text.matchAll(STATIC)].map((m) => ({ from: m[2] ?? m[3] ?? '', typeOnly: m[1] !== undefined })),
    ...[...text.matchAll(DYNAMIC)].map((m) => ({ from: m[1] ?? '', typeOnly: false })),
  ]
  return found.map(({ from, typeOnly }) => ({
    from: from.startsWith('.') ? posix.join(dirname(path), from) : from,
    typeOnly,
  }))
}

/** The text without comments, for rules about what code does. */
export const codeOf = (file: SourceFile): string =>
  file.text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1')
