import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { functionNames, loadFunctions } from '../functions/main.ts'
import { unitOf, unitsOf } from '../shared/kit/units.ts'
import type { Code } from './lint-components/finding.ts'
import { lintFiles } from './lint-components/lint.ts'
import { subscriptionsOf } from './lint-components/subscriptions.ts'

// Part of `npm run check`: the files in dapr/ against each other and against the functions.
const DAPR = fileURLToPath(new URL('../dapr/', import.meta.url))
const FOLDERS = ['components', 'configuration', 'variants']

async function readCode(): Promise<Code> {
  const names = functionNames()
  const functions = (await loadFunctions(names)).map((fn, index) => ({
    name: names[index]!,
    kind: fn.kind,
    fn,
  }))
  const crons = functions.flatMap(({ name, kind, fn }) =>
    fn.kind === 'cron' ? [{ name, binding: fn.binding, unit: unitOf({ name, kind }) ?? '' }] : [],
  )
  const topics = functions.flatMap(({ name, kind, fn }) =>
    fn.kind === 'topic' ? [{ fn, unit: unitOf({ name, kind }) ?? '' }] : [],
  )
  return { units: unitsOf(functions), crons, subscriptions: await subscriptionsOf(topics) }
}

const files = FOLDERS.flatMap((folder) =>
  readdirSync(`${DAPR}${folder}`)
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(`${DAPR}${folder}/${name}`, 'utf8') })),
)
const findings = lintFiles(files, await readCode())
for (const { file, resource, problem, remedy } of findings) {
  process.stderr.write(`dapr/${file}: ${resource} ${problem}; ${remedy}.\n`)
}
if (findings.length > 0) process.exitCode = 1
