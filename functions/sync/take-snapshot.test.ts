import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Snapshot } from '../../shared/app/sync/take-snapshot.ts'
import { connect } from '../../shared/db/connect.ts'
import { createSnapshots } from '../../shared/db/sync/snapshots.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds, systemTimer } from '../../shared/kit/system.ts'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { manualTimers } from '../../testing/worlds/manual-timers.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { taskService } from '../../testing/worlds/task-service.ts'
import type { z } from 'zod'
import takeSnapshot from './take-snapshot.ts'

const target = await testDatabaseTarget()

type Taken = z.infer<typeof Snapshot>

const { newUser, deliver, deps, sql } = await taskService([
  'sync/take-snapshot',
  'sync/list-changes',
  'tasks/get-task',
  'tasks/list-tags',
  'reminders/add-reminder',
  'reminders/list-reminders',
])

const taken = async (user: ReturnType<typeof newUser>) =>
  (await user.send('GET', '/api/snapshot')).body as Taken

describe('a snapshot', () => {
  it('holds what reads show: tasks, deleted ones too, series, reminders, preferences, tags', async () => {
    const [user, other] = [newUser(), newUser()]
    await other.create({ tags: ['theirs'] })
    const task = await user.create({ tags: ['home'], due_at: '2026-03-05T09:00:00Z' })
    const daily = await user.create({ recurrence_rule: 'FREQ=DAILY', due_at: '2026-03-05T09:00:00Z' })
    const gone = await user.create({ title: 'Gone' })
    await user.does('DELETE', `/api/tasks/${gone.id}`)
    const reminder = (await user.send('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: 5 })).body
    await deliver()
    const { tasks, series, reminders, preferences, tags } = await taken(user)
    expect(tasks.map(({ id }) => id).toSorted()).toEqual([task.id, daily.id, gone.id].toSorted())
    const shown = await user.does('GET', `/api/tasks/${task.id}`)
    expect(shown).toMatchObject(tasks.find(({ id }) => id === task.id)!)
    expect(tasks.find(({ id }) => id === gone.id)?.deleted_at).toEqual(expect.any(String))
    expect(series.map(({ id }) => id)).toEqual([daily.series_id])
    expect(reminders).toContainEqual(reminder)
    expect(preferences).toMatchObject({ version: 0, default_reminder_minutes: 60 })
    expect(tags).toEqual([{ tag: 'home', active: 1, completed: 0 }])
  })

  it('is of one moment, whose cursor leads to all that came after, however slowly it is taken', async () => {
    const user = newUser()
    for (let n = 0; n < 450; n += 1) await user.create({ title: `Task ${n}` })
    const answer = await mountFunctions([takeSnapshot], deps).request('/api/snapshot', {
      headers: { authorization: `Bearer ${tokenOf(user.id)}` },
    })
    const reader = answer.body!.getReader()
    const pieces = [(await reader.read()).value!]
    const [first] = await sql<{ id: string }[]>`select id from tasks where user_id = ${user.id} limit 1`
    await user.does('PATCH', `/api/tasks/${first!.id}`, { title: 'Later' })
    await user.create({ title: 'Later, too' })
    for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value)
    const { tasks, cursor } = JSON.parse(Buffer.concat(pieces).toString()) as Taken
    expect(tasks).toHaveLength(450)
    expect(tasks.map(({ title }) => title).filter((title) => title.startsWith('Later'))).toEqual([])
    const { items } = (await user.send('GET', `/api/changes?since=${cursor}`)).body as {
      items: { type: string }[]
    }
    expect(items.map(({ type }) => type)).toEqual(['task.updated', 'task.created'])
  })

  it('is empty for somebody new', async () => {
    expect(await taken(newUser())).toMatchObject({ tasks: [], series: [], reminders: [], tags: [] })
  })
})

describe('snapshots of a process', () => {
  it.each([
    [4, 1],
    [10, 2],
  ])(
    'of a pool of %i connections take a quarter, and one of a user, until their readers are gone',
    async (max, most) => {
      const pool = connect(target, { max, applicationName: 'snapshots' })
      onTestFinished(() => pool.end({ timeout: 1 }))
      const snapshots = createSnapshots(pool, systemTimer)
      const userId = systemIds.uuid()
      const taken = [snapshots.take(userId)!]
      expect(snapshots.take(userId)).toBeNull()
      while (taken.length < most) taken.push(snapshots.take(systemIds.uuid())!)
      expect(snapshots.take(systemIds.uuid())).toBeNull()
      expect(await pool`select 1 as one`).toEqual([{ one: 1 }])
      for (const one of taken) await one.cancel()
      const again = await vi.waitFor(() => snapshots.take(userId) ?? Promise.reject(new Error('too many')))
      await again.cancel()
    },
  )

  it('end when nobody takes them in time', async () => {
    const timers = manualTimers()
    const snapshots = createSnapshots(sql, timers.startTimer)
    const reader = snapshots.take(systemIds.uuid())!.getReader()
    await reader.read()
    timers.advance(60_000)
    await expect(reader.read()).rejects.toThrow('not taken in time')
    await expect
      .poll(
        () => sql`
      select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      )
      .toEqual([])
  })
})
