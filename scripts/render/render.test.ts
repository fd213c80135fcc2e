import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { TaskUpdated } from '../../shared/domain/events.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { jobFunction } from '../../shared/kit/job-function.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'
import { daprResources } from './dapr-resources.ts'
import { mcpTools } from './mcp-tools.ts'
import { featureTable } from './routes.ts'
import { portOffsets } from './run-template.ts'
import { readCode, specOf, type Code, type Trigger } from './units.ts'

const handle = async () => ({ body: {} })
const named = <Fn extends DaybookFunction>(name: string, fn: Fn): Fn => Object.assign(fn, { name })

const listNotes = named(
  'notes/list-notes',
  httpFunction({
    route: 'GET /api/notes/:id',
    summary: 'List notes',
    auth: 'account:read',
    uses: [],
    params: z.object({ id: z.uuid() }),
    query: z.strictObject({ open: z.boolean().default(true), tags: z.array(z.string()).default([]) }),
    handle,
  }),
)
const openPage = named(
  'notes/open-page',
  httpFunction({ route: 'GET /notes', summary: 'Page', auth: 'none', uses: [], handle }),
)
const putNote = named(
  'notes/put-note',
  httpFunction({
    route: 'PUT /api/notes/:id',
    summary: 'Replace a note',
    auth: 'account:write',
    uses: [],
    retrySafe: true,
    params: z.object({ id: z.uuid() }),
    body: z.strictObject({ text: z.string() }),
    handle,
  }),
)
const watchNotes = named(
  'notes/watch-notes',
  httpFunction({
    route: 'GET /api/notes/stream',
    summary: 'Watch notes',
    auth: 'account:read',
    uses: ['streams'],
    events: {},
    handle,
  }),
)
const followTasks = named(
  'notes/follow-tasks',
  topicFunction({ on: [TaskUpdated], uses: [], handle: async () => {} }),
)
const tidyNotes = named(
  'notes/tidy-notes',
  cronFunction({ schedule: '@every 1h', uses: [], handle: async () => {} }),
)
const sweepNotes = named(
  'notes/sweep-notes',
  cronFunction({
    schedule: '@every 1h',
    uses: ['deliveries'],
    wakesOn: 'deliveries',
    everyMs: 2000,
    handle: async () => {},
  }),
)
const sweepHourly = named(
  'notes/sweep-hourly',
  cronFunction({ schedule: '@every 1h', uses: [], everyMs: 3_600_000, handle: async () => {} }),
)
const fireNote = named(
  'notes/fire-note',
  jobFunction({ job: 'note', data: z.object({}), uses: [], handle: async () => {} }),
)

const codeOf = (...units: [id: string, ...functions: DaybookFunction[]][]): Code => ({
  functions: units.flatMap(([, ...functions]) => functions),
  units: units.map(([id, ...functions]) => specOf(id, functions)),
})

const scaling = (...functions: DaybookFunction[]) => {
  const { kind, min, triggers } = specOf('notes-worker', functions).scaling
  const named = (trigger: Trigger) =>
    trigger.type === 'kafka' ? trigger.topic : trigger.type === 'cron' ? trigger.start : trigger.rows
  return [kind, min, triggers.map(named)]
}

describe('how a unit is run', () => {
  it('sleeps only where something wakes it', () => {
    expect(scaling(listNotes)).toEqual(['knative', 0, []])
    expect(scaling(followTasks)).toEqual(['keda', 0, ['task-events']])
    expect(scaling(followTasks, tidyNotes)).toEqual(['keda', 1, ['task-events']])
    expect(scaling(tidyNotes)).toEqual(['deployment', 1, []])
    expect(scaling(fireNote)).toEqual(['deployment', 1, []])
    expect(scaling(fireNote, sweepNotes)).toEqual(['keda', 0, ['deliveries']])
  })

  it('is woken by the clock for what it does every few hours, if it does it when it starts', () => {
    expect(scaling(sweepHourly)).toEqual(['keda', 0, ['0 * * * *']])
    expect(scaling(tidyNotes, sweepHourly)).toEqual(['keda', 1, ['0 * * * *']])
  })

  it('holds connections only where it never sleeps', () => {
    expect(() => specOf('notes-api', [watchNotes])).toThrow('notes/watch-notes holds connections')
    expect(specOf('edge', [watchNotes, listNotes]).scaling).toMatchObject({ kind: 'deployment', min: 1 })
  })

  it('keeps its ports when others come and go', () => {
    const ids = ['auth-api', 'notes-api', 'tasks-api', 'web-api']
    const all = portOffsets(ids)
    for (const id of ids) expect(portOffsets([id]).get(id)).toBe(all.get(id))
  })

  // Their names fall on the same ports.
  it('keeps its ports when one comes whose name falls on the same', () => {
    const [earlier, later] = ['unit-148', 'unit-194']
    const alone = portOffsets([later])
    const both = portOffsets([earlier, later], alone)
    expect(both.get(later)).toBe(alone.get(later))
    expect(both.get(earlier)).toBe(alone.get(later)! + 1)
    expect(portOffsets([earlier, later], both)).toEqual(both)
  })

  it('gets ports of its own among many, also where two were written down with the same', () => {
    const many = Array.from({ length: 200 }, (_, index) => `unit-${index}`)
    expect(new Set(portOffsets(many).values()).size).toBe(200)
    const merged = portOffsets(many, new Map(many.map((id) => [id, 7])))
    expect(new Set(merged.values()).size).toBe(200)
    expect(merged.get('unit-0')).toBe(7)
  })
})

describe('Dapr resources', () => {
  const code = codeOf(
    ['notes-api', listNotes, putNote],
    ['notes-worker', sweepNotes],
    ['pages-api', openPage],
    ['edge', watchNotes],
  )
  const files = new Map(daprResources(code))
  const at = (path: string) => parse(files.get(path) ?? '') as Record<string, never>

  it('are in scope of the units whose functions need them', () => {
    expect(at('dapr/components/pubsub.yaml')).toMatchObject({ scopes: ['notes-api', 'edge'] })
    expect(at('dapr/components/mail.yaml')).toMatchObject({ scopes: ['notes-worker'] })
    expect(at('dapr/variants/pubsub-kafka-tls.yaml')).toMatchObject({ scopes: ['notes-api', 'edge'] })
    // Components of the first and the last take secrets in a variant.
    expect(at('dapr/components/secretstore.yaml')).toMatchObject({
      scopes: ['notes-api', 'notes-worker', 'edge'],
    })
  })

  it('are open to nobody where no function needs them: without a scope they would be open to all', () => {
    expect(at('dapr/components/statestore.yaml')).toMatchObject({ scopes: ['unused'] })
  })

  it('give every component a time limit and a circuit breaker, and deliveries an end of their retries', () => {
    const { spec } = parse(files.get('dapr/components/resiliency.yaml') ?? '') as {
      spec: { targets: object }
    }
    const outbound = { timeout: 'component-call', circuitBreaker: 'component-breaker' }
    expect(spec.targets).toEqual({
      components: {
        conversation: { outbound: { ...outbound, timeout: 'conversation-call' } },
        mail: { outbound: { ...outbound, timeout: 'mail-call' } },
        pubsub: {
          inbound: { timeout: 'delivery', retry: 'event-delivery' },
          outbound: { ...outbound, circuitBreaker: 'broker-breaker' },
        },
        push: { outbound: { ...outbound, timeout: 'push-call' } },
        statestore: { outbound },
      },
    })
  })

  it('let an app read the secrets its functions use, and no other', () => {
    const secrets = (unit: string) => at(`dapr/configuration/self-hosted/${unit}.yaml`)['spec']
    expect(secrets('notes-api')).toMatchObject({ secrets: { scopes: [{ defaultAccess: 'deny' }] } })
    expect(JSON.stringify(secrets('notes-api'))).not.toContain('allowedSecrets')
    expect(secrets('notes-worker')).toMatchObject({
      secrets: {
        scopes: [
          {
            defaultAccess: 'deny',
            allowedSecrets: ['fcmserviceaccount', 'vapidprivatekey', 'vapidpublickey'],
          },
        ],
      },
    })
  })

  it('let an app call the parts of the Dapr API that its functions use', () => {
    const allowed = (unit: string) => {
      const text = files.get(`dapr/configuration/self-hosted/${unit}.yaml`) ?? ''
      const { spec } = parse(text) as { spec: { api: { allowed: { name: string }[] } } }
      return spec.api.allowed.map(({ name }) => name)
    }
    expect(allowed('pages-api')).toEqual(['metadata', 'metadata'])
    expect(allowed('notes-api')).toEqual(['publish', 'metadata', 'metadata'])
    expect(allowed('notes-worker')).toEqual(['bindings', 'secrets', 'metadata', 'metadata'])
  })
})

describe('what is rendered of this Daybook', () => {
  it('lets every unit sleep but the edge', async () => {
    const { units } = await readCode()
    // In a copy with functions of every kind, nothing but the clock of its job would wake one worker.
    const ours = units.filter(({ id }) => !id.startsWith('samples-'))
    expect(ours.filter(({ scaling }) => scaling.min > 0).map(({ id }) => id)).toEqual(['edge'])
  })

  it('says whose it is at the beginning of every file of dapr/', async () => {
    const heads = daprResources(await readCode()).map(([, content]) => content.split('\n')[0])
    expect(heads.filter((head) => !head?.startsWith('# Generated from '))).toEqual([])
  })

  it('has no component that no template or cron function stands for', () => {
    const names = parseAllDocuments(
      readFileSync(new URL('../../dapr/components/cron.yaml', import.meta.url), 'utf8'),
    ).map((document) => (document.toJS() as { metadata: { name: string } }).metadata.name)
    expect(names).toContain('relay-events-cron')
  })
})

describe('the list of tools', () => {
  const { tools, not_tools } = JSON.parse(
    mcpTools(codeOf(['edge', listNotes, openPage, putNote, watchNotes]), '1.0.0'),
  ) as {
    tools: { name: string; inputSchema: object; annotations: object; call: object; description: string }[]
    not_tools: object[]
  }

  it('has what is behind a scope and is no stream, and says of the others why not', () => {
    expect(tools.map(({ name }) => name)).toEqual(['list_notes', 'put_note'])
    expect(not_tools).toContainEqual({ function: watchNotes.name, reason: 'a live stream' })
  })

  it('describes arguments as values, wherever in a request they go', () => {
    expect(tools[0]).toMatchObject({
      description: 'List notes',
      inputSchema: {
        type: 'object',
        properties: {
          note_id: { type: 'string' },
          open: { type: 'boolean', default: true },
          tags: { type: 'array', items: { type: 'string' } },
        },
        required: ['note_id'],
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
      call: {
        scope: 'account:read',
        method: 'GET',
        path: '/api/notes/:id',
        params: { note_id: 'id' },
        query: ['open', 'tags'],
        body: null,
      },
    })
    expect(tools[1]).toMatchObject({
      inputSchema: {
        properties: { text: { type: 'string' }, if_version: {}, idempotency_key: {} },
        required: ['note_id', 'text'],
      },
      annotations: { destructiveHint: true, idempotentHint: true },
      call: { body: ['text'], takesIdempotencyKey: true, creates: false },
    })
  })
})

it('the status of a service follows from what its functions begin with', () => {
  const lines = (...functions: DaybookFunction[]) =>
    featureTable(codeOf(['notes-worker', ...functions]))
      .split('\n')
      .find((line) => line.includes('notes:'))
  expect(lines(listNotes)).toContain('dueRows: [], waitsForEvents: false, sendsOut: false')
  expect(lines(followTasks)).toContain('waitsForEvents: true')
  expect(lines(followTasks, sweepNotes)).toContain(
    "dueRows: ['deliveries'], waitsForEvents: false, sendsOut: true",
  )
})
