import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Sql } from '../../shared/db/connect.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { parseResources, type Resources } from '../../dapr/embedded/resources.ts'
import { createSidecar, type Sidecar, type SidecarOptions } from '../../dapr/embedded/sidecar.ts'
import { createRecordingApp, type RecordingApp } from './recording-app.ts'

/** What a test of the embedded sidecar needs: a way to call it and the app it calls. */
export interface Driver {
  readonly app: RecordingApp
  call(path: string, init?: RequestInit): Promise<Response>
}

export interface EmbeddedDriver extends Driver {
  readonly sidecar: Sidecar
}

const RESOURCES = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec: { type: pubsub.kafka, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: statestore }
spec: { type: state.postgresql, version: v2, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: test }
spec:
  policies:
    retries:
      quick: { policy: constant, duration: 20ms, maxRetries: 3 }
  targets:
    components:
      pubsub:
        inbound: { retry: quick }
`

/** Resources from YAML text; with none, a pubsub with three quick retries and a state store. */
export function testResources(yaml: string = RESOURCES): Resources {
  return parseResources([{ file: 'test.yaml', text: yaml }])
}

export type DriverOptions = Partial<Omit<SidecarOptions, 'sql' | 'app'>> & {
  app?: RecordingApp
  isStarted?: boolean
}

/** A started sidecar with a recording app, stopped after the test file. */
export async function embeddedSidecar(sql: Sql, options: DriverOptions = {}): Promise<EmbeddedDriver> {
  const { app = createRecordingApp(), isStarted = true, ...rest } = options
  const sidecar = createSidecar({
    appId: 'orders',
    sql,
    resources: testResources(),
    app: (request) => app.fetch(request),
    clock: { now: () => new Date(Date.now()) },
    fetch: async () => await Promise.reject(new Error('no network in this test')),
    env: {},
    dataDir: rest.dataDir ?? (await temporaryDirectory()),
    logger: silentLogger,
    ...rest,
  })
  if (isStarted) await sidecar.start()
  afterAll(() => sidecar.stop())
  return {
    app,
    sidecar,
    call: async (path, init) => await sidecar.fetch(new Request(`http://sidecar${path}`, init)),
  }
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sidecar-'))
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  return directory
}
