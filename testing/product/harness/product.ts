import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { invariantViolations } from '../../worlds/invariants.ts'
import type { Client, Got, HappenedEvent } from '../../worlds/task-service.ts'
import { readConfig } from '../../../shared/config.ts'
import { connect, socketUrl } from '../../../shared/db/connect.ts'
import { EMBEDDED_ROLES } from '../../../profiles/embedded/embedded-roles.ts'
import type { CloudEvent } from '../../../shared/domain/cloud-event.ts'
import type { TaskView } from '../../../shared/domain/tasks/task.ts'
import { createApiClient, type ApiClient, type Person } from '../../worlds/api-client.ts'
import { testDatabaseTarget } from '../../worlds/database.ts'
import { confirmAddress } from '../../worlds/mailbox.ts'
import { givenProduct, type GivenProduct } from '../../worlds/given-product.ts'
import { startEmbedded } from '../../../profiles/embedded/embedded.ts'

/** A running Daybook as its clients know it. */
export interface Product extends ApiClient {
  url: string
  /** The folder that mail goes to. */
  mailbox: string
  /** Registers somebody. Their events are those that the feed of changes gives. */
  newUser(options?: { timeZone?: string }): Promise<Client>
  /** Somebody whose address is confirmed. */
  confirmedUser(): Promise<Client>
}

/** The given product, else the embedded profile on a database of its own. After the file the books must balance. */
export async function product(): Promise<Product> {
  const { urls, databaseUrl, mailbox } = givenProduct() ?? (await embeddedProduct())
  let asked = 0
  const api = createApiClient((path, init) => fetch(urls[asked++ % urls.length]! + path, init))
  afterAll(async () => {
    const sql = connect(databaseUrl, { max: 1, applicationName: 'test' })
    const faults = await invariantViolations(sql)
    await sql.end({ timeout: 1 })
    expect(faults).toEqual([])
  })
  return {
    ...api,
    url: urls[0]!,
    mailbox,
    newUser: async (options) => clientOf(api, await api.register(options)),
    confirmedUser: async () => {
      const person = await api.register()
      await confirmAddress(mailbox, person.email, (path, json) => api.ask('POST', path, { json }))
      return clientOf(api, person)
    },
  }
}

async function embeddedProduct(): Promise<GivenProduct> {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-product-'))
  const target = await testDatabaseTarget()
  const databaseUrl = socketUrl({ ...target, user: EMBEDDED_ROLES.app })
  const migrationUrl = socketUrl({ ...target, user: EMBEDDED_ROLES.owner })
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: '10',
    DAYBOOK_DATA_DIR: folder,
    DATABASE_MIGRATION_URL: migrationUrl,
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_SECOND: '0',
    TRUSTED_PROXIES: '127.0.0.1',
    OUTBOUND_ALLOW: '127.0.0.1',
    MAIL_FROM: 'Daybook <daybook@daybook.example>', // whom web push names
  })
  const { url, close } = await startEmbedded(config)
  afterAll(async () => {
    await close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { urls: [url], databaseUrl, mailbox: join(folder, 'mailbox') }
}

/** A person as tests of the product speak for them. */
export function clientOf(api: ApiClient, person: Person): Client {
  const send: Client['send'] = async (method, path, body, headers = {}) => {
    const { text, ...got } = await api.ask(method, path, {
      token: person.token,
      headers,
      ...(body !== undefined && { json: body }),
    })
    const read = text === '' ? null : (JSON.parse(text) as unknown)
    return { ...got, body: read, task: read as TaskView, problem: read as Got['problem'] }
  }
  const does: Client['does'] = async (method, path, body, headers) => {
    const got = await send(method, path, body, headers)
    if (got.status >= 300) throw new Error(`${method} ${path}: ${got.status} ${JSON.stringify(got.body)}`)
    return got.task
  }
  return {
    id: person.id,
    send,
    does,
    create: (input = {}) => does('POST', '/api/tasks', { title: 'Pay rent', ...input }),
    events: async (after = 0) => {
      const got = await send('GET', `/api/changes?limit=1000&since=${after}`)
      const { items } = got.body as { items: CloudEvent[] }
      return items.map((event) => ({ ...event, seq: Number(event.sequence) }) as unknown as HappenedEvent)
    },
  }
}
