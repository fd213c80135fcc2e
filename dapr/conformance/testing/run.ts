import { existsSync } from 'node:fs'
import { startVitest } from 'vitest/node'
import { binary } from '../../../tools/dapr/binaries.ts'
import { findProgram } from '../../../tools/find-program.ts'

/** `npm run test:dapr [-- <files>]`: the conformance suite against every kind of sidecar. */
const missing = [
  ...(['daprd', 'scheduler'] as const).filter((name) => !existsSync(binary(name))),
  ...(existsSync('tools/kafka/lib') ? [] : ['Kafka']),
]
if (missing.length > 0) stop(`${missing.join(', ')} not built: run npm run dapr:build first.`)
for (const program of ['java', 'redis-server']) {
  if (findProgram(program) === undefined) stop(`${program} is not installed; see npm run dapr:build.`)
}
const vitest = await startVitest('test', process.argv.slice(2), {
  config: 'vitest.dapr.config.ts',
  watch: false,
})
await vitest.close()

function stop(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
