import { readdirSync } from 'node:fs'

// `npm run bench [name]`: runs one benchmark of bench/, or all of them; what else is said is for the benchmark.
const names = readdirSync(new URL('../bench/', import.meta.url))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
const [chosen, ...args] = process.argv.slice(2)
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
