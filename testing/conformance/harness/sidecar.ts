import { randomUUID } from 'node:crypto'
import { vi } from 'vitest'
import { createRecordingApp, type RecordingApp } from '../../sidecar/recording-app.ts'
import { startDaprdDriver } from './daprd-driver.ts'
import { startEmbeddedDriver } from './embedded-driver.ts'
import { currentProfile } from './profile.ts'

/** A sidecar of one app, seen from outside: its HTTP API, and what it asks of the app. */
export interface Driver {
  readonly appId: string
  readonly app: RecordingApp
  call(path: string, init?: RequestInit): Promise<Response>
  /** Ends the sidecar; the app goes on. */
  stop(): Promise<void>
  /** Ends the sidecar as SIGKILL does. */
  crash(): Promise<void>
  /** Starts it again after a stop or a crash, on the same data. */
  start(): Promise<void>
  /** Nothing listens for the app any more; the sidecar goes on. */
  stopApp(): Promise<void>
  startApp(): Promise<void>
}

export interface SidecarSetup {
  readonly appId: string
  readonly app: RecordingApp
  /** Further Dapr resources as YAML, beside the profile's pubsub and statestore. */
  readonly resources: readonly string[]
  readonly hasPubsub: boolean
  readonly hasState: boolean
  readonly env: Readonly<Record<string, string>>
  /** Content of `secrets.json` in the folder where the sidecar runs. */
  readonly secrets: object
  /** Whether the sidecar asks every second whether the app is well. */
  readonly checksAppHealth?: boolean
  readonly apiToken?: string
  readonly appToken?: string
  /** Shares the data of that sidecar where the profile has none that all share: the embedded one's database. */
  readonly beside?: Driver
  /** Other apps with a sidecar of their own, by app-id. */
  readonly peers: Readonly<Record<string, RecordingApp>>
}

/** A sidecar of the profile, healthy, that ends with the test file. Its app-id is its own unless given. */
export async function startSidecar(setup: Partial<SidecarSetup> = {}): Promise<Driver> {
  const whole: SidecarSetup = {
    appId: unique('orders'),
    app: createRecordingApp(),
    resources: [],
    hasPubsub: true,
    hasState: false,
    env: {},
    secrets: {},
    peers: {},
    ...setup,
  }
  return currentProfile().isEmbedded ? await startEmbeddedDriver(whole) : await startDaprdDriver(whole)
}

/** A name that no other test file, profile or run uses: they share brokers. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`
}

const PATIENCE_MS = 30_000

/** Waits until what is expected has come true. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return await vi.waitFor(check, { timeout: PATIENCE_MS, interval: 20 })
}
