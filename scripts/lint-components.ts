import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lintFiles } from './lint-components/lint.ts'

// Part of `npm run check`: what Dapr would take from dapr/ without a word and nothing can derive.
const DAPR = fileURLToPath(new URL('../dapr/', import.meta.url))
const FOLDERS = ['components', 'configuration', 'variants']

const files = FOLDERS.flatMap((folder) =>
  readdirSync(`${DAPR}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(`${DAPR}${folder}/${name}`, 'utf8') })),
)
const findings = lintFiles(files)
for (const { file, resource, problem, remedy } of findings) {
  process.stderr.write(`dapr/${file}: ${resource} ${problem}; ${remedy}.\n`)
}
if (findings.length > 0) process.exitCode = 1
