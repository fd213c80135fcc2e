import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { applyOurTopics } from '../../../profiles/self-hosted/topics.ts'
import { run } from '../../../tools/cluster/command.ts'
import { WITH_SIDECARS } from '../../../tools/cluster/dapr.ts'
import { importImage } from '../../../tools/cluster/images.ts'
import { BROKERS, emptyBroker } from '../../../tools/cluster/kafka.ts'
import { apply, kubectl } from '../../../tools/cluster/kubectl.ts'
import { DATABASE_URL, makeDatabase } from './database.ts'
import { DAYBOOK, GATEWAY, install, NAMESPACE, PLATFORM } from './releases.ts'
import { startMailServer } from './mail-server.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const IMAGE = 'dev.local/daybook:test'

/** Vitest's set-up: Daybook anew on the cluster that runs here, by its image and its charts, with nothing in its database. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-cluster-'))
  const mails = await startMailServer(join(folder, 'mailbox'))
  const begun = performance.now()
  const say = (what: string) => console.log(`${what}: ${Math.round((performance.now() - begun) / 1000)} s`)
  await Promise.all([image(folder).then(() => say('image')), removed().then(() => say('nothing is left'))])
  await Promise.all([makeDatabase(), emptyBroker()])
  await applyOurTopics({ brokers: BROKERS }, () => {}, { brokers: 1 })
  say('database and topics')
  const name = NAMESPACE
  const labels = { ...WITH_SIDECARS, 'pod-security.kubernetes.io/enforce': 'restricted' }
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }])
  await install(PLATFORM)
  say('helm install of the platform')
  await install(DAYBOOK)
  await kubectl('-n', name, 'wait', '--for=condition=Ready', 'ksvc', '--all', '--timeout=180s')
  await kubectl('-n', name, 'wait', '--for=condition=Ready', 'domainmapping', '--all', '--timeout=60s')
  say('helm install of Daybook, and all of it is ready')
  project.provide('product', {
    urls: [GATEWAY],
    databaseUrl: DATABASE_URL,
    mailbox: join(folder, 'mailbox'),
  })
  return async () => {
    await mails.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function image(folder: string): Promise<void> {
  const layout = join(folder, 'image')
  await run(process.execPath, [join(ROOT, 'scripts/image.ts'), '--out', layout, '--name', IMAGE])
  await importImage(layout)
  rmSync(layout, { recursive: true, force: true })
}

/** What an earlier run has left. ClusterDomainClaims are of no namespace. */
async function removed(): Promise<void> {
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=180s')
  await kubectl('delete', 'clusterdomainclaims', '--all')
}
