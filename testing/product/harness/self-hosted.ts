import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { readConfig } from '../../../shared/config.ts'
import { startSelfHosted } from '../../../profiles/self-hosted/start-self-hosted.ts'
import type { BrokerName } from '../../../profiles/self-hosted/broker.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    broker: BrokerName
  }
}

/** Vitest's set-up of a project: Daybook on real Dapr and the broker that the project provides, for all its files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-product-'))
  chmodSync(folder, 0o755)
  const config = readConfig({
    PORT: '0',
    DAYBOOK_DATA_DIR: folder,
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_SECOND: '0',
    TRUSTED_PROXIES: '127.0.0.1',
    OUTBOUND_ALLOW: '127.0.0.1',
    MAIL_FROM: 'Daybook <daybook@daybook.example>', // whom web push names
  })
  const { broker } = project.config.provide
  const { url, databaseUrl, stop } = await startSelfHosted({ config, ...(broker && { broker }) })
  project.provide('product', { url, databaseUrl, mailbox: join(folder, 'mailbox') })
  return async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
