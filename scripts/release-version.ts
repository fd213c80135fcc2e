import { readFileSync } from 'node:fs'
import packageJson from '../package.json' with { type: 'json' }
import { readArguments } from '../shared/arguments.ts'

// `node scripts/release-version.ts v1.2.3`: that a tag is the version of package.json and has a section in CHANGELOG.md.
const { positionals } = readArguments('node scripts/release-version.ts TAG', { allowPositionals: true })
const version = packageJson.version
const changelog = readFileSync(new URL('../CHANGELOG.md', import.meta.url), 'utf8')
const faults = [
  ...(positionals[0] === `v${version}` ? [] : [`package.json says ${version}`]),
  ...(changelog.includes(`\n## ${version} — `) ? [] : [`CHANGELOG.md has no section "## ${version} — date"`]),
]
if (faults.length > 0) {
  process.stderr.write(`${positionals[0] ?? 'No tag'} cannot be released: ${faults.join('; ')}.\n`)
  process.exitCode = 1
}
