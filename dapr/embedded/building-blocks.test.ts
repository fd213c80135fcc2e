import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../../shared/db/connect.ts'
import { testDatabase } from '../../shared/testing/database.ts'
import {
  embeddedSidecar,
  errorOf,
  temporaryDirectory,
  testResources,
  type Driver,
} from './testing/embedded-sidecar.ts'
import { createRecordingApp } from './testing/recording-app.ts'

const component = (name: string, type: string, metadata: Record<string, string> = {}) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata: ${JSON.stringify(Object.entries(metadata).map(([key, value]) => ({ name: key, value })))}
`

let sql: Sql
beforeAll(async () => {
  sql = await testDatabase()
})

const withComponents = async (yaml: string[], options: Parameters<typeof embeddedSidecar>[1] = {}) =>
  await embeddedSidecar(sql, { resources: testResources(yaml.join('---')), ...options })

describe('secrets', () => {
  let dapr: Driver
  beforeAll(async () => {
    const dataDir = await temporaryDirectory()
    await writeFile(
      join(dataDir, 'secrets.json'),
      JSON.stringify({ smtp: { user: 'u', password: 'p' }, plain: 'x' }),
    )
    const env = { DAYBOOK_SECRET_KEY: 'k', DAYBOOK_SECRET_OTHER: 'o', PATH: '/bin', DAPR_API_TOKEN: 't' }
    const stores = [
      component('fromenv', 'secretstores.local.env', { prefix: 'DAYBOOK_SECRET_' }),
      component('anyenv', 'secretstores.local.env'),
      component('fromfile', 'secretstores.local.file', { secretsFile: 'secrets.json' }),
      component('multi', 'secretstores.local.file', { secretsFile: 'secrets.json', multiValued: 'true' }),
    ]
    dapr = await withComponents(stores, { dataDir, env })
  })
  const secret = async (path: string): Promise<unknown> =>
    await (await dapr.call(`/v1.0/secrets/${path}`)).json()

  it('come from the environment, under the prefix', async () => {
    expect(await secret('fromenv/KEY')).toEqual({ KEY: 'k' })
    expect(await secret('fromenv/bulk')).toEqual({ KEY: { KEY: 'k' }, OTHER: { OTHER: 'o' } })
  })

  it('are empty, not an error, for a variable that is not set', async () => {
    expect(await secret('fromenv/ABSENT')).toEqual({ ABSENT: '' })
  })

  it('never hold the tokens of Dapr', async () => {
    expect(await secret('anyenv/DAPR_API_TOKEN')).toEqual({ DAPR_API_TOKEN: '' })
    expect(await secret('anyenv/bulk')).not.toHaveProperty('DAPR_API_TOKEN')
  })

  it('come from a file, nested names joined or kept together', async () => {
    expect(await secret('fromfile/smtp:password')).toEqual({ 'smtp:password': 'p' })
    expect(await secret('multi/smtp')).toEqual({ user: 'u', password: 'p' })
  })

  it.each([
    ['an unknown store', 'nowhere/key', 401, 'ERR_SECRET_STORE_NOT_FOUND'],
    ['a secret that is not in the file', 'fromfile/absent', 500, 'ERR_SECRET_GET'],
  ])('answer an error for %s', async (_, path, status, errorCode) => {
    const response = await dapr.call(`/v1.0/secrets/${path}`)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ errorCode })
  })

  it('answer 500 when no store is configured', async () => {
    const bare = await withComponents([component('mail', 'bindings.smtp')])
    const response = await bare.call('/v1.0/secrets/any/key')
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ errorCode: 'ERR_SECRET_STORES_NOT_CONFIGURED' })
  })
})

describe('the mail binding', () => {
  const send = (dapr: Driver, metadata: Record<string, string>, data: unknown = '<p>Grüße</p>') =>
    dapr.call('/v1.0/bindings/mail', {
      method: 'POST',
      body: JSON.stringify({ operation: 'create', metadata, data }),
    })

  async function mailbox() {
    const dataDir = await temporaryDirectory()
    const dapr = await withComponents(
      [component('mail', 'bindings.smtp', { emailFrom: 'Daybook <daybook@localhost>' })],
      { dataDir },
    )
    const read = async () => {
      await mkdir(join(dataDir, 'mailbox'), { recursive: true })
      const names = await readdir(join(dataDir, 'mailbox'))
      return await Promise.all(names.map((name) => readFile(join(dataDir, 'mailbox', name), 'utf8')))
    }
    return { dapr, read }
  }

  it('puts a message into the mailbox folder', async () => {
    const { dapr, read } = await mailbox()
    expect(
      (await send(dapr, { emailTo: 'a@example.org;b@example.org', subject: 'Water plants' })).status,
    ).toBe(204)
    const [message, ...more] = await read()
    expect(more).toHaveLength(0)
    expect(message).toContain('From: Daybook <daybook@localhost>\r\n')
    expect(message).toContain('To: a@example.org, b@example.org\r\n')
    expect(message).toContain('Subject: Water plants\r\n')
    expect(message).toMatch(/\r\n\r\n<p>Grüße<\/p>\r\n$/)
  })

  it('encodes a subject beyond ASCII in words that are short enough', async () => {
    const { dapr, read } = await mailbox()
    const subject = 'Blumen gießen 🌱 '.repeat(8).trim()
    await send(dapr, { emailTo: 'a@example.org', subject })
    const [message] = await read()
    const words = [...message!.matchAll(/=\?UTF-8\?B\?([^?]+)\?=/g)]
    expect(words.map(([, word]) => Buffer.from(word!, 'base64').toString()).join('')).toBe(subject)
    expect(Math.max(...words.map(([word]) => word.length))).toBeLessThanOrEqual(75)
  })

  it('lets no line break of a subject or address start a header', async () => {
    const { dapr, read } = await mailbox()
    await send(dapr, { emailTo: 'a@example.org\r\nX-Evil: 1', subject: 'x\r\nBcc: evil@example.org' })
    const [message] = await read()
    expect(message!.split('\r\n').map((line) => line.split(':')[0])).not.toContain('X-Evil')
    expect(message!.split('\r\n').map((line) => line.split(':')[0])).not.toContain('Bcc')
  })

  it('does not keep the recipient of one request for the next', async () => {
    const { dapr } = await mailbox()
    await send(dapr, { emailTo: 'a@example.org', subject: 'x' })
    const response = await send(dapr, { subject: 'y' })
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ errorCode: 'ERR_INVOKE_OUTPUT_BINDING' })
  })
})

describe('the http binding', () => {
  it('sends the request and passes the answer on', async () => {
    const sent: Request[] = []
    const fetch = async (url: string, init: RequestInit) => {
      sent.push(new Request(url, init))
      return Response.json({ ok: true }, { status: 201 })
    }
    const dapr = await withComponents(
      [component('hook', 'bindings.http', { url: 'https://example.org/base/' })],
      { fetch },
    )
    const response = await dapr.call('/v1.0/bindings/hook', {
      method: 'POST',
      body: JSON.stringify({
        operation: 'post',
        data: { a: 1 },
        metadata: { path: '/x', 'X-Key': 'v', ignored: 'i' },
      }),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ ok: true })
    expect(response.headers.get('metadata.statusCode')).toBe('201')
    expect(sent[0]!.url).toBe('https://example.org/base/x')
    expect(sent[0]!.headers.get('x-key')).toBe('v')
    expect(sent[0]!.headers.get('ignored')).toBeNull()
    expect(await sent[0]!.json()).toEqual({ a: 1 })
  })

  it('fails on an answer that is no success, unless told otherwise', async () => {
    const fetch = async () => new Response('no', { status: 503 })
    const dapr = await withComponents([component('hook', 'bindings.http', { url: 'https://example.org' })], {
      fetch,
    })
    const invoke = (metadata: Record<string, string>) =>
      dapr.call('/v1.0/bindings/hook', {
        method: 'POST',
        body: JSON.stringify({ operation: 'get', metadata }),
      })
    const failed = await invoke({})
    expect(failed.status).toBe(500)
    expect(failed.headers.get('metadata.statusCode')).toBe('503')
    expect(await failed.json()).toMatchObject({ errorCode: 'ERR_INVOKE_OUTPUT_BINDING' })
    const tolerated = await invoke({ errorIfNot2XX: 'false' })
    expect(tolerated.status).toBe(200)
    expect(await tolerated.text()).toBe('no')
  })

  it.each([
    ['an unknown binding', 'nowhere', '{"operation":"create"}', '500 ERR_INVOKE_OUTPUT_BINDING'],
    ['no operation', 'hook', '{}', '500 ERR_INVOKE_OUTPUT_BINDING'],
    ['an operation it does not have', 'hook', '{"operation":"list"}', '500 ERR_INVOKE_OUTPUT_BINDING'],
    ['a body that is no JSON', 'hook', 'x', '400 ERR_MALFORMED_REQUEST'],
  ])('refuses %s', async (_, name, body, error) => {
    const dapr = await withComponents([component('hook', 'bindings.http', { url: 'https://example.org' })])
    expect(await errorOf(await dapr.call(`/v1.0/bindings/${name}`, { method: 'POST', body }))).toBe(error)
  })
})

describe('invoke', () => {
  it('passes method, path, query, headers and body to the app, and its answer back', async () => {
    const app = createRecordingApp()
    app.on('/api/tasks', () =>
      Response.json({ made: true }, { status: 201, headers: { location: '/api/tasks/1' } }),
    )
    const dapr = await embeddedSidecar(sql, { app })
    const response = await dapr.call('/v1.0/invoke/orders/method/api/tasks?a=1', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer x',
        'dapr-caller-app-id': 'forged',
      },
      body: '{"title":"t"}',
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe('/api/tasks/1')
    expect(await response.json()).toEqual({ made: true })
    const [call] = app.calls('/api/tasks')
    expect(call).toMatchObject({ method: 'POST', body: '{"title":"t"}' })
    expect(call!.headers.get('authorization')).toBe('Bearer x')
    expect(call!.headers.get('dapr-caller-app-id')).toBe('orders')
  })

  it('reaches other apps by their app-id and passes their errors through', async () => {
    const other = async (request: Request) =>
      new Response(`no ${new URL(request.url).pathname}`, { status: 404 })
    const dapr = await embeddedSidecar(sql, { apps: new Map([['tasks-api', other]]) })
    const response = await dapr.call('/v1.0/invoke/tasks-api/method/x/y', { method: 'DELETE' })
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('no /x/y')
  })

  it('answers 500 for an app that it does not know', async () => {
    const response = await (await embeddedSidecar(sql)).call('/v1.0/invoke/nobody/method/x')
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ errorCode: 'ERR_DIRECT_INVOKE' })
  })
})

describe('conversation echo', () => {
  const converse = async (body: unknown, name = 'conversation') => {
    const dapr = await withComponents([component('conversation', 'conversation.echo')])
    return await dapr.call(`/v1.0-alpha2/conversation/${name}/converse`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
  }
  const user = (text: string) => ({ ofUser: { content: [{ text }] } })

  it('answers with what it was told', async () => {
    const response = await converse({ contextId: 'c1', inputs: [{ messages: [user('hello there')] }] })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      contextId: 'c1',
      outputs: [
        {
          choices: [{ finishReason: 'stop', message: { content: 'hello there' } }],
          usage: { promptTokens: '2', completionTokens: '2', totalTokens: '4' },
        },
      ],
    })
  })

  it('calls every tool that is offered, with the names of its parameters', async () => {
    const parameters = { type: 'object', properties: { title: {}, due: {} } }
    const response = await converse({
      inputs: [{ messages: [user('add a task')] }],
      tools: [{ function: { name: 'add_task', parameters } }],
    })
    const { outputs } = (await response.json()) as { outputs: { choices: unknown[] }[] }
    expect(outputs[0]!.choices[0]).toMatchObject({
      finishReason: 'tool_calls',
      message: { toolCalls: [{ id: '0', function: { name: 'add_task', arguments: 'due,title' } }] },
    })
  })

  it.each([
    ['an unknown component', { inputs: [{}] }, 'nobody', 'ERR_CONVERSATION_NOT_FOUND'],
    ['no inputs', {}, 'conversation', 'ERR_CONVERSATION_MISSING_INPUTS'],
    [
      'a tool choice that is not offered',
      { inputs: [{ messages: [user('x')] }], tools: [], toolChoice: 'required' },
      'conversation',
      'ERR_CONVERSATION_INVALID_PARMS',
    ],
  ])('refuses %s', async (_, body, name, errorCode) => {
    const response = await converse(body, name)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errorCode })
  })
})

describe('health, metadata and tokens', () => {
  it('is ready for calls before the app is asked, and ready at all afterwards', async () => {
    const dapr = await embeddedSidecar(sql, { isStarted: false })
    expect((await dapr.call('/v1.0/healthz')).status).toBe(500)
    expect((await dapr.call('/v1.0/healthz/outbound')).status).toBe(500)
    await dapr.sidecar.start()
    expect((await dapr.call('/v1.0/healthz')).status).toBe(204)
    expect((await dapr.call('/v1.0/healthz/outbound')).status).toBe(204)
    expect((await dapr.call('/v1.0/healthz?appid=someone')).status).toBe(500)
  })

  it('lists components and keeps values of the app', async () => {
    const dapr = await embeddedSidecar(sql)
    expect((await dapr.call('/v1.0/metadata/colour', { method: 'PUT', body: 'blue' })).status).toBe(204)
    expect(await (await dapr.call('/v1.0/metadata')).json()).toMatchObject({
      id: 'orders',
      extended: { colour: 'blue' },
      components: expect.arrayContaining([
        { name: 'pubsub', type: 'pubsub.kafka', version: 'v1' },
      ]) as unknown[],
    })
  })

  it('asks for the API token everywhere but at the health routes', async () => {
    const dapr = await embeddedSidecar(sql, { apiToken: 'secret' })
    const denied = await dapr.call('/v1.0/metadata')
    expect(denied.status).toBe(401)
    expect(await denied.text()).toContain('invalid api token')
    expect((await dapr.call('/v1.0/metadata', { headers: { 'dapr-api-token': 'secret' } })).status).toBe(200)
    expect((await dapr.call('/v1.0/healthz/outbound')).status).toBe(204)
  })

  it('shows the app its token with every call', async () => {
    const app = createRecordingApp()
    app.subscriptions = [{ pubsubname: 'pubsub', topic: 'tokens', route: '/tokens' }]
    const dapr = await embeddedSidecar(sql, { app, appToken: 'for-the-app', appId: 'tokens' })
    await dapr.call('/v1.0/publish/pubsub/tokens', { method: 'POST', body: '{}' })
    await dapr.call('/v1.0/jobs/tokens', { method: 'POST', body: '{"dueTime":"0s","data":{}}' })
    await dapr.call('/v1.0/invoke/tokens/method/invoked', { headers: { 'dapr-api-token': 'mine' } })
    await dapr.sidecar.idle()
    for (const path of ['/tokens', '/job/tokens', '/invoked']) {
      expect(app.calls(path)[0]!.headers.get('dapr-api-token')).toBe('for-the-app')
    }
  })

  it('answers 404 with an error body for a path it does not know', async () => {
    const response = await (await embeddedSidecar(sql)).call('/v1.0/actors/x')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ errorCode: 'ERR_DIRECT_INVOKE' })
  })
})
