import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { startVitest, type TestCase, type Vitest } from 'vitest/node'
import { readArguments } from '../../../shared/arguments.ts'
import { binary } from '../../../tools/dapr/binaries.ts'
import { findProgram } from '../../../tools/find-program.ts'
import { DIFFERENCES } from '../differences.ts'
import { capabilityMatrix, type CheckedGuarantee } from './capability-matrix.ts'
import { PROFILES } from './profile.ts'

// `npm run test:dapr [-- <files>] [-- --project <profile>]`: the suite against every kind of sidecar. A whole run also
// writes the capability matrix, and fails when that changes it.

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MATRIX = `${ROOT}docs/dapr-capabilities.md`

const { values, positionals } = readArguments('npm run test:dapr [-- --project NAME … FILE …]', {
  options: { project: { type: 'string', multiple: true } },
  allowPositionals: true,
})

const notReady = missingPart()
if (notReady === undefined) await run()
else fail(notReady)

async function run(): Promise<void> {
  const vitest = await startVitest('test', positionals, {
    root: ROOT,
    config: 'vitest.dapr.config.ts',
    watch: false,
    ...(values.project && { project: values.project }),
  })
  const isWhole = positionals.length === 0 && !values.project
  const hasFailed = process.exitCode !== undefined && process.exitCode !== 0
  const matrix = isWhole && !hasFailed ? capabilityMatrix(guarantees(vitest), DIFFERENCES) : undefined
  await vitest.close()
  if (matrix !== undefined) await keep(matrix)
}

function missingPart(): string | undefined {
  const isBuilt =
    existsSync(binary('daprd')) && existsSync(binary('scheduler')) && existsSync(`${ROOT}tools/kafka/lib`)
  if (!isBuilt) return 'The real parts are not built: run npm run dapr:build.'
  if (findProgram('java') === undefined)
    return 'Kafka needs Java 17 or newer: install it (openjdk-17-jre-headless).'
  return findProgram('redis-server') === undefined ? 'Redis is missing: install redis-server.' : undefined
}

function guarantees(vitest: Vitest): CheckedGuarantee[] {
  const modules = vitest.state
    .getTestModules()
    .toSorted((a, b) => a.relativeModuleId.localeCompare(b.relativeModuleId))
  return modules.flatMap(({ project, children }) => {
    const profile = PROFILES.find(({ name }) => name === project.name)
    if (!profile) return []
    return [...children.allTests()].map((test: TestCase) => ({
      capability: test.parent.type === 'suite' ? test.parent.name : test.name,
      profile,
      differences: test.meta().differences ?? [],
    }))
  })
}

async function keep(matrix: string): Promise<void> {
  const options = await resolveConfig(MATRIX)
  const text = await format(matrix, { ...options, parser: 'markdown' })
  if (existsSync(MATRIX) && readFileSync(MATRIX, 'utf8') === text) return
  writeFileSync(MATRIX, text)
  fail('docs/dapr-capabilities.md did not say what the tests found; it does now: look at it and commit it.')
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}
