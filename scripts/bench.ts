import { readdirSync } from 'node:fs'
import { readArguments } from '../shared/arguments.ts'

// `npm run bench [name]`: runs one benchmark of bench/, or all of them; what follows its name is for the benchmark.
const names = readdirSync(new URL('../bench/', import.meta.url))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
const given = process.argv.slice(2)
const usage = `npm run bench [${names.join(' | ')}] [-- options of the benchmark]`
const { positionals } = readArguments(usage, { args: given.slice(0, 1), allowPositionals: true })
const [chosen] = positionals
const args = given.slice(1)
if (chosen !== undefined && !names.includes(chosen)) {
  console.error(`There is no benchmark "${chosen}". There are: ${names.join(', ')}.`)
  process.exit(1)
}
for (const name of chosen === undefined ? names : [chosen]) {
  const { run } = (await import(`../bench/${name}.bench.ts`)) as {
    run: (args: readonly string[]) => Promise<void>
  }
  await run(args)
}
