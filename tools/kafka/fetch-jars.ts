import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBuildStep } from '../build-step.ts'

const HERE = fileURLToPath(new URL('./', import.meta.url))
const JARS = join(HERE, 'lib')
const STAMP = join(JARS, 'pom.key')

/** Brings the jars that pom.xml names into lib/. Does nothing when they are those of the same pom.xml. */
export async function fetchJars(say: (line: string) => void): Promise<void> {
  const pom = readFileSync(join(HERE, 'pom.xml'), 'utf8')
  const version = /<kafka\.version>([\d.]+)</.exec(pom)?.[1] ?? ''
  const key = createHash('sha256').update(pom).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === key) {
    say(`Kafka ${version} is here already.`)
    return
  }
  say(`Fetching Kafka ${version} (54 MB) with Maven.`)
  const draft = `${JARS}.${process.pid}`
  try {
    await runBuildStep(
      {
        name: `Kafka ${version}`,
        command: 'mvn',
        args: ['--batch-mode', '--quiet', `-Djars=${draft}`, 'dependency:copy-dependencies'],
        cwd: HERE,
        whenMissing: 'its jars are fetched with Maven; install mvn (Debian: apt-get install maven).',
      },
      say,
    )
    writeFileSync(join(draft, 'pom.key'), key)
    rmSync(JARS, { recursive: true, force: true })
    renameSync(draft, JARS)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
