import { describe, expect, it } from 'vitest'
import type { CommandResult, SyncResult } from '../../shared/domain/sync/commands.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService(['tasks/sync-commands', 'sync/list-changes', 'tasks/get-task'])
const { newUser, sql } = service

let count = 0
const id = () => `c${(count += 1)}`
const sync = async (user: Client, commands: object[], client = 'phone') => {
  const got = await user.send('POST', '/api/sync', {
    client_id: client,
    commands: commands.map((one) => ({ id: id(), ...one })),
  })
  expect(got.status).toBe(200)
  return got.body as SyncResult
}
const one = async (user: Client, command: object): Promise<CommandResult> =>
  (await sync(user, [command])).results[0]!
const read = (user: Client, taskId: string) => user.does('GET', `/api/tasks/${taskId}`)
const codes = ({ results }: SyncResult) => results.map(({ status, problem }) => problem?.code ?? status)

describe('sync-commands', () => {
  it('runs commands in order, with temporary ids, and says where their effects end', async () => {
    const user = newUser()
    const {
      results,
      temp_ids: ids,
      cursor,
    } = await sync(user, [
      { op: 'create', temp_id: 'new', fields: { title: 'Move house' } },
      { op: 'create', temp_id: 'box', fields: { title: 'Boxes', parent_id: 'new' } },
      { op: 'update', target: 'new', fields: { priority: 'high' }, base: { priority: 'medium' } },
      { op: 'tag', target: 'box', add: ['home', 'Shop'] },
      { op: 'move', target: 'new', after: 'box' },
      { op: 'complete', target: 'box' },
    ])
    expect(results.map(({ status }) => status)).toEqual(Array(6).fill('applied'))
    expect(await read(user, ids.new!)).toMatchObject({ title: 'Move house', priority: 'high' })
    expect(await read(user, ids.box!)).toMatchObject({
      parent_id: ids.new,
      is_completed: true,
      tags: ['home', 'Shop'],
    })
    const since = async (at: string) =>
      ((await user.send('GET', `/api/changes?since=${at}`)).body as { items: { type: string }[] }).items
    expect(await since(cursor)).toEqual([])
    const again = await sync(user, [{ op: 'update', target: ids.new, fields: {} }])
    expect(again.cursor).toBe(cursor)
    expect((await since('0')).length).toBeGreaterThanOrEqual(6)
  })

  it('does what comes again once, with the answer it had, also days later and under other circumstances', async () => {
    const user = newUser()
    const commands = [
      { id: 'a', op: 'create', temp_id: 't', fields: { title: 'Once' } },
      { id: 'b', op: 'update', target: 't', fields: { title: 'Twice' }, base: { title: 'Nonce' } },
      { id: 'c', op: 'delete', target: 't' },
      { id: 'd', op: 'update', target: 't', fields: { title: 'Late' } },
    ]
    const first = await sync(user, commands)
    expect(codes(first)).toEqual(['applied', 'conflict', 'applied', 'task.not_found'])
    const happened = await user.events()
    service.at('2026-03-20T08:00:00Z')
    const second = await sync(user, commands)
    expect(second.results.map(({ replayed, ...result }) => [replayed, result])).toEqual(
      first.results.map((result) => [result.status === 'refused' ? undefined : true, result]),
    )
    expect([second.temp_ids, second.cursor]).toEqual([first.temp_ids, first.cursor])
    expect(await user.events()).toEqual(happened)
    // Of another client, or with another content under the same id, it is another command.
    expect(codes(await sync(user, [{ ...commands[0], fields: { title: 'Other' } }]))).toEqual([
      'idempotency.key_reused',
    ])
    expect(codes(await sync(user, [commands[0]!], 'laptop'))).toEqual(['applied'])
  })

  it.each([
    ['nobody else wrote', {}, { title: 'B' }, { title: 'A' }],
    ['somebody wrote another field', { priority: 'high' }, { title: 'B' }, { title: 'A' }],
    ['somebody wrote the same', { title: 'B' }, { title: 'B' }, { title: 'A' }],
    ['there is no base', { title: 'C' }, { title: 'B' }, {}],
  ])('writes field by field, without a conflict, where %s', async (_, theirs, fields, base) => {
    const user = newUser()
    const { id: target } = await user.create({ title: 'A' })
    await user.does('PATCH', `/api/tasks/${target}`, theirs)
    const result = await one(user, { op: 'update', target, fields, base })
    expect([result.status, result.conflicts]).toEqual(['applied', []])
    expect(await read(user, target)).toMatchObject({ ...theirs, ...fields })
  })

  it('leaves alone what the client has not changed', async () => {
    const user = newUser()
    const { id: target } = await user.create({ title: 'A' })
    await user.does('PATCH', `/api/tasks/${target}`, { title: 'C' })
    const base = { title: 'A', priority: 'medium' }
    const result = await one(user, { op: 'update', target, fields: { ...base, priority: 'low' }, base })
    expect(result).toMatchObject({ status: 'applied', task: { title: 'C', priority: 'low' } })
  })

  it.each([
    ['title', 'A', 'C', 'B'],
    ['description', 'y', 'x', null],
    ['tags', [], ['theirs'], ['mine']],
  ])('writes over what somebody else made of %s, and tells both', async (field, base, theirs, yours) => {
    const user = newUser()
    const { id: target } = await user.create({ title: 'A' })
    await user.does('PATCH', `/api/tasks/${target}`, { [field]: theirs })
    const command = { op: 'update', target, fields: { [field]: yours }, base: { [field]: base } }
    const { status, conflicts, task } = await one(user, command)
    expect([status, conflicts]).toEqual(['conflict', [{ field, base, theirs, yours, kept: 'yours' }]])
    expect(task).toMatchObject({ [field]: yours })
  })

  const edit = { op: 'update', fields: { title: 'Edited' }, base: { title: 'Pay rent' } }
  it.each([
    [{ op: 'delete' }, edit, 'task.not_found', { deleted: true, title: 'Pay rent' }],
    [edit, { op: 'delete' }, 'applied', { deleted: true, title: 'Edited' }],
    [{ op: 'delete' }, { op: 'delete' }, 'task.not_found', { deleted: true }],
    [{ op: 'delete' }, { op: 'restore' }, 'applied', { deleted: false }],
    [{ op: 'restore' }, { op: 'restore' }, 'applied', { deleted: false }],
    [{ op: 'complete' }, { op: 'complete' }, 'applied', { is_completed: true }],
    [{ op: 'complete' }, edit, 'applied', { is_completed: true, title: 'Edited' }],
    [edit, { op: 'complete' }, 'applied', { is_completed: true, title: 'Edited' }],
    [{ op: 'complete' }, { op: 'reopen' }, 'applied', { is_completed: false }],
    [{ op: 'reopen' }, { op: 'complete' }, 'applied', { is_completed: true }],
    [{ op: 'complete' }, { op: 'delete' }, 'applied', { deleted: true }],
    [{ op: 'delete' }, { op: 'complete' }, 'task.not_found', { deleted: true, is_completed: false }],
    [{ op: 'tag', add: ['a'] }, { op: 'tag', add: ['A', 'b'] }, 'applied', { tags: ['a', 'b'] }],
    [{ op: 'tag', add: ['a', 'b'] }, { op: 'tag', remove: ['B'] }, 'applied', { tags: ['a'] }],
    [{ op: 'tag', add: ['a'] }, { op: 'tag', remove: ['b'] }, 'applied', { tags: ['a'] }],
    [edit, { op: 'skip' }, 'task.not_recurring', { title: 'Edited' }],
  ])('after %j, %j is %s', async (theirs, mine, outcome, left) => {
    const user = newUser()
    const { id: target } = await user.create()
    await one(user, { target, ...theirs })
    const second = await one(user, { target, ...mine })
    expect(second.problem?.code ?? second.status).toBe(outcome)
    const [row] = await sql`
      select title, tags, completed_at is not null as is_completed, deleted_at is not null as deleted from tasks where id = ${target}`
    expect(row).toMatchObject(left)
  })

  it('completes a recurring task once, whoever completes it first, and the next occurrence is there once', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    await one(user, { op: 'complete', target: task.id })
    await sync(user, [{ op: 'complete', target: task.id }], 'laptop')
    await service.deliver()
    const [{ tasks }] = await sql<
      [{ tasks: number }]
    >`select count(*)::int as tasks from tasks where series_id = ${task.series_id}`
    expect(tasks).toBe(2)
  })

  it('refuses what is wrong with one command and goes on with the next, changing nothing of another user', async () => {
    const [user, other] = [newUser(), newUser()]
    const theirs = await other.create()
    const before = await other.events()
    const result = await sync(user, [
      { op: 'create', temp_id: 'bad', fields: { title: '' } },
      { op: 'update', target: 'bad', fields: { title: 'x' } },
      { op: 'update', target: theirs.id, fields: { title: 'x' } },
      { op: 'complete', target: theirs.id },
      { op: 'create', fields: { title: 'x', nobody_knows: 1 } },
      { op: 'move', target: theirs.id },
      { op: 'create', fields: { title: 'Good' } },
    ])
    expect(codes(result)).toEqual([
      'request.invalid',
      'request.invalid',
      'task.not_found',
      'task.not_found',
      'request.invalid',
      'request.invalid',
      'applied',
    ])
    expect(result.results[0]!.problem!.errors).toEqual([
      { path: 'fields.title', message: expect.any(String) as unknown },
    ])
    expect(await other.events()).toEqual(before)
  })

  it.each([
    [{ client_id: 'x', commands: [] }],
    [{ client_id: '', commands: [{ id: '1', op: 'delete' }] }],
    [{ client_id: 'x', commands: [{ id: '1', op: 'erase' }] }],
    [{ client_id: 'x', commands: Array.from({ length: 501 }, (_, n) => ({ id: `${n}`, op: 'delete' })) }],
  ])('refuses a request that is none', async (body) => {
    expect((await newUser().send('POST', '/api/sync', body)).status).toBe(422)
  })

  it('takes 500 commands', async () => {
    const user = newUser()
    const { results } = await sync(
      user,
      Array.from({ length: 500 }, (_, n) => ({ op: 'create', fields: { title: `Task ${n}` } })),
    )
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['applied']))
    expect(new Set(results.map(({ task }) => task!.id)).size).toBe(500)
  })
})
