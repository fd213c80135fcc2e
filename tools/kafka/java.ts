import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from '../find-program.ts'
import { ProgramError } from '../program-error.ts'
import { worstLine } from '../program-log.ts'

const HERE = fileURLToPath(new URL('./', import.meta.url))
const JARS = join(HERE, 'lib')
export const WHEN_JAVA_IS_MISSING =
  'it needs Java 17 or newer; install it (Debian: apt-get install openjdk-17-jre-headless).'

export function requireJars(): void {
  if (!existsSync(JARS))
    throw new ProgramError('program.missing', 'Kafka is not here yet; run npm run dapr:build.')
}

export const javaOptions = ({ heap }: { heap: string }): string[] => [
  `-Xmx${heap}`,
  '-XX:+UseSerialGC',
  '-XX:+ExitOnOutOfMemoryError',
  `-Dlog4j2.configurationFile=${join(HERE, 'log4j2.properties')}`,
  '-cp',
  join(JARS, '*'),
]

/** Runs one of the programs behind Kafka's scripts and resolves with what it printed. `does` ends "Kafka could not". */
export async function runKafkaTool(does: string, program: readonly string[]): Promise<string> {
  requireJars()
  const command = findProgram('java')
  if (command === undefined)
    throw new ProgramError('program.missing', `Kafka cannot be started: ${WHEN_JAVA_IS_MISSING}`)
  // Each runs for a second or two, which the better compiler would only lengthen.
  const args = ['-XX:TieredStopAtLevel=1', ...javaOptions({ heap: '128m' }), ...program]
  try {
    return (await promisify(execFile)(command, args)).stdout
  } catch (error) {
    const cause = error as Error & { stdout?: string; stderr?: string }
    const output = `${cause.stdout ?? ''}\n${cause.stderr ?? ''}`
    if (output.includes('UnsupportedClassVersionError')) {
      throw new ProgramError('program.missing', `This Java is too old for Kafka: ${WHEN_JAVA_IS_MISSING}`, {
        cause,
      })
    }
    throw new ProgramError(
      'program.ended',
      `Kafka could not ${does}: ${worstLine(output) ?? cause.message}`,
      { cause },
    )
  }
}
