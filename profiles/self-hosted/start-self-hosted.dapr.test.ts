import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../shared/config.ts'
import { connect } from '../../shared/db/connect.ts'
import { startSelfHosted, type SelfHosted } from './start-self-hosted.ts'

const BROKERS = ['kafka', 'redis'] as const

describe.each(BROKERS)('Daybook on real Dapr and %s', (broker) => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-self-hosted-'))
  chmodSync(folder, 0o755)
  const lines: string[] = []
  let daybook: SelfHosted
  let token = ''

  beforeAll(async () => {
    const config = readConfig({
      PORT: '0',
      DAYBOOK_DATA_DIR: folder,
      LOG_LEVEL: 'warn',
      DAYBOOK_SECRET_ofnobody: 'of nobody',
      DAYBOOK_SECRET_vapidprivatekey: 'vapid',
    })
    daybook = await startSelfHosted({ config, broker, say: (line) => lines.push(line) })
    const session = await post('/api/auth/register', {
      email: 'a@example.com',
      password: 'correct horse battery',
    })
    token = ((await session.json()) as { access_token: string }).access_token
  }, 120_000)
  afterAll(async () => {
    await daybook.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  const send = (method: string, path: string, body?: unknown) =>
    fetch(daybook.url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  const post = (path: string, body?: unknown) => send('POST', path, body)

  async function repeatingTask(): Promise<string> {
    const answer = await post('/api/tasks', {
      title: 'Water plants',
      recurrence_rule: 'FREQ=DAILY',
      due_at: '2027-03-15T08:00:00Z',
      time_zone: 'Europe/Berlin',
    })
    expect(answer.status).toBe(201)
    return ((await answer.json()) as { id: string }).id
  }

  /** How many open occurrences the series of a task has besides it. */
  async function successors(task: string): Promise<number> {
    const answer = await send('GET', `/api/tasks/${task}/occurrences`)
    const { history } = (await answer.json()) as { history: { state: string; task_id: string | null }[] }
    return history.filter(({ state, task_id }) => state === 'open' && task_id !== task).length
  }

  async function callSidecar(unit: string, path: string, init: RequestInit = {}): Promise<number> {
    const { http } = daybook.ports.units.get(unit)!
    const headers = { 'dapr-api-token': daybook.tokensOf(unit).api, 'content-type': 'application/json' }
    const answer = await fetch(`http://127.0.0.1:${http}${path}`, { headers, ...init })
    await answer.text()
    return answer.status
  }

  it('makes the next occurrence of a completed task, through gateway, sidecars and broker', async () => {
    const task = await repeatingTask()
    expect((await post(`/api/tasks/${task}/complete`)).status).toBe(200)
    await expect.poll(() => successors(task), { timeout: 15_000 }).toBe(1)
  })

  it('gives each process the secrets in its scope and no others', () => {
    const seenBy = (name: string) =>
      readFileSync(`/proc/${daybook.part(name).pid}/environ`, 'utf8')
        .split('\0')
        .map((entry) => entry.split('=') as [string, string])
    const namesSeenBy = (name: string) => seenBy(name).map(([variable]) => variable)
    const having = (variable: string) =>
      [...daybook.parts.keys()].filter((name) => name !== 'postgres' && namesSeenBy(name).includes(variable))
    expect(having('DAYBOOK_SECRET_ofnobody')).toEqual([])
    expect(having('DAYBOOK_SECRET_vapidprivatekey').toSorted()).toEqual([
      'notifications-api-daprd',
      'notifications-worker-daprd',
    ])
    expect(having('DAYBOOK_MAIL_AUTHORIZATION')).toEqual(['notifications-worker-daprd'])
    expect(having('DAYBOOK_STATE_URL')).toEqual([]) // no function keeps state in Dapr
    expect(having('DATABASE_URL').toSorted()).toEqual(daybook.units.map(({ id }) => id).toSorted())
    expect(namesSeenBy(broker)).not.toContain('DAPR_API_TOKEN')
    const tokens = daybook.units.map(({ id }) => new Map(seenBy(id)).get('DAPR_API_TOKEN'))
    expect(new Set(tokens).size).toBe(daybook.units.length)
  })

  it('keeps its folders to itself, and works as a role that may change no table', async () => {
    for (const inner of ['logs', 'pids', 'resources', 'run', 'postgres', 'scheduler', broker])
      expect([inner, statSync(join(daybook.dataDir, inner)).mode & 0o777]).toEqual([inner, 0o700])
    const sql = connect(daybook.databaseUrl, { max: 1, applicationName: 'test' })
    await expect(sql`drop table tasks`).rejects.toMatchObject({ code: '42501' })
    await expect(sql`create role intruder`).rejects.toMatchObject({ code: '42501' })
    await sql.end({ timeout: 1 })
  })

  it('asks for the API token at every sidecar, another at each', async () => {
    for (const { id } of daybook.units) {
      expect(await callSidecar(id, '/v1.0/metadata', { headers: {} })).toBe(401)
      expect(await callSidecar(id, '/v1.0/metadata')).toBe(200)
      const foreign = { 'dapr-api-token': daybook.tokensOf(id === 'edge' ? 'tasks-api' : 'edge').api }
      expect(await callSidecar(id, '/v1.0/metadata', { headers: foreign })).toBe(401)
    }
  })

  it('loads into a sidecar the components in its scope and no others', async () => {
    const { http } = daybook.ports.units.get('recurrence-worker')!
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/metadata`, {
      headers: { 'dapr-api-token': daybook.tokensOf('recurrence-worker').api },
    })
    const { components } = (await answer.json()) as { components: { name: string; type: string }[] }
    expect(components.map(({ name }) => name).toSorted()).toEqual([
      'pubsub',
      'secretstore',
      'sweep-series-cron',
    ])
    expect(components.find(({ name }) => name === 'pubsub')?.type).toBe(`pubsub.${broker}`)
  })

  it('gives an app the parts of the Dapr API and the secrets that its functions use, and no others', async () => {
    const save = { method: 'POST', body: JSON.stringify([{ key: 'k', value: { a: 1 } }]) }
    const job = { method: 'POST', body: JSON.stringify({ dueTime: '1h', data: {} }) }
    expect(await callSidecar('reminders-worker', '/v1.0/jobs/later', job)).toBe(204)
    expect(await callSidecar('reminders-worker', '/v1.0/jobs/later', { method: 'DELETE' })).toBe(204)
    expect(await callSidecar('notifications-api', '/v1.0/secrets/secretstore/vapidprivatekey')).toBe(200)
    expect(await callSidecar('notifications-api', '/v1.0/secrets/secretstore/kafkapassword')).toBe(403)
    expect(await callSidecar('edge', '/v1.0/invoke/auth-api/method/livez')).toBe(200)
    expect(await callSidecar('tasks-api', '/v1.0/jobs/later', job)).toBe(404)
    expect(await callSidecar('tasks-api', '/v1.0/state/statestore', save)).toBe(404)
    expect(await callSidecar('tasks-api', '/v1.0/secrets/secretstore/vapidprivatekey')).toBe(404)
    expect(await callSidecar('tasks-api', '/v1.0/invoke/auth-api/method/livez')).toBe(404)
    expect(await callSidecar('tasks-api', '/v1.0/shutdown', { method: 'POST' })).toBe(404)
    expect(daybook.part('tasks-api-daprd').isUp).toBe(true)
  })

  it('signs people in after others have given five wrong passwords in a row', async () => {
    const credentials = { email: 'a@example.com', password: 'correct horse battery' }
    for (let guess = 0; guess < 6; guess += 1) {
      const refused = await post('/api/auth/login', {
        email: `x${guess}@example.com`,
        password: 'wrong horse battery',
      })
      expect(refused.status).toBe(401)
    }
    expect((await post('/api/auth/login', credentials)).status).toBe(200)
  })

  it('starts again what dies by itself, and goes on with what was under way', async () => {
    const task = await repeatingTask()
    const worker = daybook.part('recurrence-worker')
    const victim = worker.pid
    process.kill(victim, 'SIGKILL')
    expect((await post(`/api/tasks/${task}/complete`)).status).toBe(200)
    await expect.poll(() => successors(task), { timeout: 30_000 }).toBe(1)
    expect(worker.pid).not.toBe(victim)
    expect(lines.some((line) => line.startsWith('recurrence-worker died: '))).toBe(true)
  })

  it('leaves down what a test has killed until the test restarts it', async () => {
    const sidecar = daybook.part('recurrence-worker-daprd')
    await sidecar.kill()
    const task = await repeatingTask()
    expect((await post(`/api/tasks/${task}/complete`)).status).toBe(200)
    expect(sidecar.isUp).toBe(false)
    expect(await successors(task)).toBe(0)
    await sidecar.restart()
    await expect.poll(() => successors(task), { timeout: 30_000 }).toBe(1)
  })

  it('survives the death of its database', async () => {
    await daybook.part('postgres').kill()
    expect((await post('/api/tasks', { title: 'Not now' })).status).toBeGreaterThanOrEqual(500)
    await daybook.part('postgres').restart()
    await expect
      .poll(async () => (await post('/api/tasks', { title: 'Now' })).status, { timeout: 15_000 })
      .toBe(201)
    const sql = connect(daybook.databaseUrl, { max: 1, applicationName: 'test' })
    expect(await sql`select count(*) as tasks from tasks where title = 'Now'`).toEqual([{ tasks: 1 }])
    await sql.end()
  })
})
