import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inheritedEnvironment, readConfig } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { startEmbedded } from '../profiles/embedded/embedded.ts'
import { startSelfHosted } from '../profiles/self-hosted/start-self-hosted.ts'
import { embeddedBlocks, realBlocks, type Blocks } from './dapr/blocks.ts'
import { measureBlocks } from './dapr/building-blocks.ts'
import { measureEffects, measureInvocation } from './dapr/product.ts'
import type { Figures } from './measure.ts'
import { report } from './report.ts'

const SECONDS = 5
const EMBEDDED = 'embedded'
const REAL = 'daprd, Kafka'

/** The embedded sidecar and real daprd with Kafka, side by side: what they do alone, and what Daybook does on them. */
export async function run(): Promise<void> {
  installHttp()
  const folder = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(folder, 0o755)
  const figures: Figures[] = []
  try {
    await note(measuredAlone(EMBEDDED, await embeddedBlocks(join(folder, 'blocks'))))
    await onEmbedded(join(folder, 'embedded'))
    await onRealDapr(join(folder, 'real'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  report('dapr', {
    versions: { node: process.versions.node, dapr: '1.18.2', kafka: '4.1.0', postgresql: '18.4' },
    dataset:
      'Times in milliseconds. 20 users with recurring tasks; events of about 1 kB, published with the user as key.',
    figures: figures.toSorted((a, b) => place(a) - place(b)),
    notes: ['"failed" counts what was refused or did not arrive'],
  })

  async function note(measured: Promise<Figures[]>): Promise<void> {
    for (const one of await measured) {
      console.log(
        `${one.name.padEnd(52)} ${String(one.perSecond).padStart(6)}/s  p95 ${one.p95} ms  failed ${one.failed}`,
      )
      figures.push(one)
    }
  }

  async function onEmbedded(dataDir: string): Promise<void> {
    const daybook = await startEmbedded(configFor(dataDir))
    try {
      await note(measureEffects(EMBEDDED, daybook.url))
    } finally {
      await daybook.close()
    }
  }

  async function onRealDapr(dataDir: string): Promise<void> {
    const daybook = await startSelfHosted({ config: configFor(dataDir), say: console.log })
    try {
      await note(measuredAlone(REAL, await realBlocks(daybook)))
      await note(measureEffects(REAL, daybook.url))
      const unit = `http://127.0.0.1:${daybook.ports.units.get('tasks-api')!.app}`
      await note(measureInvocation(daybook.url, unit, SECONDS))
    } finally {
      await daybook.stop()
    }
  }
}

async function measuredAlone(name: string, blocks: Blocks): Promise<Figures[]> {
  try {
    return await measureBlocks(name, blocks, SECONDS)
  } finally {
    await blocks.stop()
  }
}

const configFor = (dataDir: string) =>
  readConfig({
    ...inheritedEnvironment(),
    PORT: '0',
    DAYBOOK_DATA_DIR: dataDir,
    DATABASE_URL: '',
    LOG_LEVEL: 'error',
    RATE_LIMIT_PER_SECOND: '0',
  })

/** The same measure on both sides stands together. */
function place({ name }: Figures): number {
  const order = [
    'publish',
    'a batch',
    'publish to',
    'state',
    'job',
    'cron',
    '100 events',
    'burst',
    'straight',
    'invocation',
  ]
  return order.findLastIndex((word) => name.includes(word))
}
