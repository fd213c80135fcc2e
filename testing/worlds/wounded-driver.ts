import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type postgres from 'postgres'

/** What the patch of decision 080 adds against results that are mixed up. */
const CURE = [/^ {4}rows = 0\n/gm, /^ *;\(rows > 0 \|\| initial\) && end\(\)\n/gm]

/** postgres.js with the fault that the patch heals, to show that a test can see it. Nothing guards its results. */
export async function woundedDriver(): Promise<typeof postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'wounded-driver-'))
  try {
    cpSync(dirname(findPackageJSON('postgres', import.meta.url)!), folder, { recursive: true })
    const file = join(folder, 'src', 'connection.js')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, withoutCure(text))
    const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'src', 'index.js')).href)) as {
      default: typeof postgres
    }
    return module.default
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** CommandComplete's line, which was there before the patch, stays. */
function withoutCure(text: string): string {
  const [before, complete, after] = text.split(/(function CommandComplete\(x\) \{\n {4}rows = 0\n)/)
  const strip = (part: string) => CURE.reduce((left, line) => left.replaceAll(line, ''), part)
  return strip(before!) + complete! + strip(after!)
}
