import { readFile } from 'node:fs/promises'
import { embeddedSidecar, testResources } from '../sidecar/embedded-sidecar.ts'
import type { SendersOptions } from '../../shared/channels/senders.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { testDatabase } from './database.ts'

const COMPONENTS = new URL('../../dapr/components/', import.meta.url)

/** A client of an embedded sidecar with the product's own components of mail, push and secrets, Google's place taken by `fcm`. */
export async function sidecarFor({
  env,
  fcm = 'http://127.0.0.1:9',
}: {
  env: Record<string, string>
  fcm?: string
}): Promise<SendersOptions['dapr']> {
  const texts = await Promise.all(
    ['mail', 'push', 'secretstore'].map((name) => readFile(new URL(`${name}.yaml`, COMPONENTS), 'utf8')),
  )
  const yaml = texts.join('\n---\n').replace('https://fcm.googleapis.com/v1/projects', fcm)
  const { call } = await embeddedSidecar(await testDatabase(), {
    appId: 'notifications-worker',
    resources: testResources(yaml),
    fetch,
    env,
  })
  return createDaprClient({
    baseUrl: 'http://sidecar',
    timeoutMs: 10_000,
    fetch: (url, init) => call(new URL(url).pathname, init),
  })
}
