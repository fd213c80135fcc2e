import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withBuildLock } from '../build-lock.ts'
import { failTool } from '../fail-tool.ts'
import { fetchJars } from '../kafka/fetch-jars.ts'
import { ProgramError } from '../program-error.ts'
import { BINARIES } from './binaries.ts'
import { buildBinaries } from './build-binaries.ts'

// `npm run dapr:build [-- --only dapr|kafka]`: everything the real profile runs on, except what the system brings.
const say = (line: string) => process.stdout.write(`${line}\n`)

process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

try {
  const { only } = parseArgs({ options: { only: { type: 'string' } } }).values
  if (only !== undefined && only !== 'dapr' && only !== 'kafka') {
    throw new ProgramError('usage', '--only takes dapr or kafka.')
  }
  const build = async () => {
    if (only !== 'kafka') await buildBinaries(say)
    if (only !== 'dapr') await fetchJars(say)
  }
  await withBuildLock(join(BINARIES, 'build.lock'), build, (pid) =>
    say(`Waiting for another build (pid ${pid}).`),
  )
} catch (error) {
  failTool(error)
}
