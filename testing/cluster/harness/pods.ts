import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { certificate } from '../../../tools/cluster/certificates.ts'
import { kubectl } from '../../../tools/cluster/kubectl.ts'
import { API_SERVER } from '../../../tools/cluster/places.ts'
import { NAMESPACE } from './releases.ts'

/** A pod as it was seen from outside; instants in ms since the epoch. */
export interface SeenPod {
  name: string
  app: string
  address: string | undefined
  seenAt: number
  scheduledAt?: number
  /** When each container was first seen running. */
  startedAt: Record<string, number>
  readyAt?: number
  endingAt?: number
  goneAt?: number
}

interface Status {
  name: string
  state?: { running?: object }
}

interface Pod {
  metadata: { name: string; labels?: Record<string, string>; deletionTimestamp?: string }
  status: {
    phase?: string
    podIP?: string
    conditions?: { type: string; status: string }[]
    containerStatuses?: Status[]
    initContainerStatuses?: Status[]
  }
}

export interface Pods {
  /** All that were there since this began, the oldest first. */
  readonly all: readonly SeenPod[]
  /** Those of an app that are there and not about to go. */
  living(app: string): SeenPod[]
  close(): void
}

const APP = 'app.kubernetes.io/component'
/** Follows the pods of Daybook by the API server's own stream of changes. */
export async function followPods(): Promise<Pods> {
  const all: SeenPod[] = []
  const note = (type: string, pod: Pod) => {
    const { name, labels = {}, deletionTimestamp } = pod.metadata
    const now = Date.now()
    let seen = all.find((each) => each.name === name)
    if (!seen) {
      seen = { name, app: labels[APP] ?? '', address: undefined, seenAt: now, startedAt: {} }
      all.push(seen)
    }
    const { conditions = [], containerStatuses = [], initContainerStatuses = [], podIP } = pod.status
    const holds = (condition: string) =>
      conditions.some((each) => each.type === condition && each.status === 'True')
    seen.address = podIP
    if (holds('PodScheduled')) seen.scheduledAt ??= now
    if (holds('Ready')) seen.readyAt ??= now
    for (const { name: container, state } of [...initContainerStatuses, ...containerStatuses])
      if (state?.running) seen.startedAt[container] ??= now
    if (deletionTimestamp !== undefined) seen.endingAt ??= now
    if (type === 'DELETED') seen.goneAt ??= now
  }
  const close = await watch(`/api/v1/namespaces/${NAMESPACE}/pods`, note)
  await delay(500)
  return {
    all,
    living: (app) => all.filter((pod) => pod.app === app && pod.endingAt === undefined && !pod.goneAt),
    close,
  }
}

/** Calls `onChange` for what is there, and for each change. */
async function watch(path: string, onChange: (type: string, pod: Pod) => void): Promise<() => void> {
  const request = get({
    ...API_SERVER,
    path: `${path}?watch=true`,
    agent: false,
    ca: readFileSync(certificate('ca.crt')),
    cert: readFileSync(certificate('admin.crt')),
    key: readFileSync(certificate('admin.key')),
  })
  request.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    request.once('error', reject).once('response', (answer) => {
      createInterface({ input: answer })
        .on('line', (line) => {
          const { type, object } = JSON.parse(line) as { type: string; object: Pod }
          if (object.metadata?.name !== undefined) onChange(type, object)
        })
        .on('error', () => {}) // when it is closed
      resolve()
    })
  })
  return () => request.destroy()
}

/** Resolves to how long it took; rejects when it does not become true. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  limitMs = 120_000,
): Promise<number> {
  const begun = Date.now()
  while (!(await isTrue())) {
    if (Date.now() - begun > limitMs) throw new Error(`${what}: not within ${limitMs} ms`)
    await delay(25)
  }
  return Date.now() - begun
}

/**
 * Waits until an app has no pod at all. One that is about to go still gets requests for as long as Knative's proxy drains
 * it, half a minute; it is not waited for.
 */
export async function allGone(pods: Pods, app: string, limitMs = 120_000): Promise<void> {
  await until(`${app} at zero`, () => pods.living(app).length === 0, limitMs)
  const last = pods.all.filter((pod) => pod.app === app && pod.goneAt === undefined).map(({ name }) => name)
  if (last.length > 0)
    await kubectl(
      '-n',
      NAMESPACE,
      'delete',
      'pod',
      '--force',
      '--grace-period=0',
      '--ignore-not-found',
      ...last,
    )
  await until(`the end of ${app}`, () => pods.all.every((pod) => pod.app !== app || pod.goneAt !== undefined))
}
