import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startScheduler } from '../../../tools/dapr/scheduler.ts'
import { startKafka } from '../../../tools/kafka/kafka.ts'
import { startRedis } from '../../../tools/redis/redis.ts'

/** Where the parts are that all sidecars of a run share. */
export interface Services {
  /** Kafka, as `host:port`. */
  readonly brokers: string
  /** Redis, as `host:port`. */
  readonly redis: string
  /** The scheduler, as `host:port`. */
  readonly scheduler: string
  /** For files and logs of sidecars; removed after the run. */
  readonly directory: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    services: Services
  }
}

/** Vitest's global set-up of a run against daprd: one broker of each kind and one scheduler for all test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-dapr-'))
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    await Promise.all(closers.map((stop) => stop()))
    rmSync(directory, { recursive: true, force: true })
  }
  const running = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const program = await starting
    closers.push(program.stop)
    return program
  }
  const started = await Promise.allSettled([
    running(startKafka({ dataDir: join(directory, 'kafka'), partitions: 3 })),
    running(startRedis({ dataDir: join(directory, 'redis') })),
    running(startScheduler({ dataDir: join(directory, 'scheduler') })),
  ])
  const [kafka, redis, scheduler] = started
  if (kafka.status === 'rejected' || redis.status === 'rejected' || scheduler.status === 'rejected') {
    await close()
    throw started.find((result) => result.status === 'rejected')?.reason
  }
  project.provide('services', {
    brokers: kafka.value.brokers,
    redis: redis.value.host,
    scheduler: scheduler.value.address,
    directory,
  })
  return close
}
