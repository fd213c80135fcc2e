import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { callOf, mcpApp } from '../../testing/worlds/mcp-app.ts'
import setPreferences from '../notifications/set-preferences.ts'

const world = await mcpApp()

describe('a request to /mcp', () => {
  it('is one message: an array of them does nothing', async () => {
    const { token } = await world.newToken()
    const add = callOf('add_task', { title: 'Milk' })
    for (const messages of [[add], [add, add], []]) {
      const got = await world.post(token, messages)
      expect([got.status, await got.json()]).toMatchObject([400, { code: 'request.malformed' }])
    }
    expect((await world.call(token, 'list_tasks')).value).toMatchObject({ items: [] })
  })

  it('counts once', async () => {
    const limited = await mcpApp({
      PUBLIC_URL: 'https://tasks.example.org',
      RATE_LIMIT_PER_SECOND: '1',
      RATE_LIMIT_BURST: '3',
    })
    const { token } = await limited.newToken()
    const statuses: number[] = []
    for (let nth = 0; nth < 4; nth += 1) {
      const got = await limited.post(token, callOf('list_tasks'))
      statuses.push(got.status)
      if (got.ok) expect(await got.text()).toContain('items')
      else expect(got.headers.get('retry-after')).toBe('1')
    }
    expect(statuses).toEqual([200, 200, 200, 429])
  })

  it('waits while its user has not taken the answers of eight others, and nobody else waits', async () => {
    const [ada, eve] = [await world.newToken(), await world.newToken()]
    const connections: EventEmitter[] = []
    const ask = async (token: string) => {
      const outgoing = Object.assign(new EventEmitter(), { destroyed: false })
      connections.push(outgoing)
      const socket = Object.assign(new EventEmitter(), { destroyed: false, remoteAddress: '203.0.113.9' })
      return (await world.post(token, callOf('list_tasks'), { incoming: { socket }, outgoing })).status
    }
    expect(await Promise.all(Array.from({ length: 8 }, () => ask(ada.token)))).toEqual(Array(8).fill(200))
    let isAnswered = false
    const ninth = ask(ada.token).finally(() => (isAnswered = true))
    expect(await ask(eve.token)).toBe(200)
    expect(isAnswered).toBe(false)
    connections[0]!.emit('close')
    expect(await ninth).toBe(200)
  })
})

describe('the result of a tool', () => {
  it('is refused where it is more than a model can read, with what to do', async () => {
    const { token } = await world.newToken()
    const description = 'ü'.repeat(5000)
    for (let nth = 0; nth < 30; nth += 1) {
      await world.call(token, 'add_task', { title: `Task ${nth}`, description })
    }
    const much = await world.call(token, 'list_tasks', { limit: 100 })
    expect(much).toMatchObject({ isError: true, value: { code: 'tool.result_too_large' } })
    expect(String(much.value['detail'])).toContain('limit')
    expect((await world.call(token, 'list_tasks', { limit: 5 })).isError).toBe(false)
    expect((await world.call(token, 'list_changes', { limit: 1000 })).isError).toBe(true)
  })

  it('shows no secret of a webhook, nor its URL, which is often one', async () => {
    const { token, userId } = await world.newToken()
    const json = { webhook_url: 'https://hooks.example.org/secret' }
    expect((await world.callFunction(setPreferences, { token: tokenOf(userId), json })).status).toBe(200)
    const { isError, value } = await world.call(token, 'get_preferences')
    expect([isError, value]).toMatchObject([false, { version: 1 }])
    expect(JSON.stringify(value)).not.toMatch(/whsec_|hooks\.example/)
  })
})

describe('a tool', () => {
  it.each(['..', '.', '', '../me', 'no id', 1])('takes %j for no id', async (id) => {
    const { token } = await world.newToken()
    for (const [name, args] of [
      ['list_task_reminders', {}],
      ['get_task', {}],
      ['delete_task', {}],
      ['delete_task', { confirm: true }],
    ] as const) {
      const got = await world.call(token, name, { task_id: id, ...args })
      expect([name, got]).toMatchObject([
        name,
        { isError: true, value: { code: 'request.invalid', errors: [{ path: 'task_id' }] } },
      ])
    }
  })
})
