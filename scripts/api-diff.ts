/**
 * `npm run api:diff`: what of the API document breaks clients of the last release; ends with 1 when something does.
 * `npm run api:diff -- --release` keeps the present document as that of a release.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readArguments } from '../shared/arguments.ts'
import { findProgram } from '../tools/find-program.ts'
import { failTool } from '../tools/fail-tool.ts'
import { ProgramError } from '../tools/program-error.ts'

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const [PRESENT, RELEASED] = [at('docs/openapi.json'), at('docs/api/released.json')]

function compare(released: string, present: string): number {
  if (findProgram('go') === undefined)
    throw new ProgramError('program.missing', 'Install Go 1.26 or newer: oasdiff is built with it.')
  const oasdiff = ['-C', at('tools/oasdiff'), 'tool', 'oasdiff', 'breaking', released, present]
  const { status, error } = spawnSync('go', [...oasdiff, '--fail-on', 'ERR'], { stdio: 'inherit' })
  if (error) throw error
  return status ?? 1
}

const { release, present } = readArguments('npm run api:diff [-- --release | --present FILE]', {
  options: { release: { type: 'boolean', default: false }, present: { type: 'string', default: PRESENT } },
}).values

try {
  if (release) copyFileSync(PRESENT, RELEASED)
  else process.exitCode = compare(RELEASED, present)
} catch (error) {
  failTool(error)
}
