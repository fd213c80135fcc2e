import { describe, expect, it } from 'vitest'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aReminder } from '../../shared/testing/a-reminder.ts'
import { tasksAdded } from '../../shared/testing/a-task.ts'
import {
  ask,
  hidesOtherUsers,
  isIdempotent,
  requiresLogin,
  type Preparation,
} from '../../shared/testing/obligations.ts'
import { testDeps } from '../../shared/testing/test-deps.ts'
import acknowledgeReminder from './acknowledge-reminder.ts'
import addReminder from './add-reminder.ts'
import editReminder from './edit-reminder.ts'
import getReminder from './get-reminder.ts'
import listReminders from './list-reminders.ts'
import removeReminder from './remove-reminder.ts'
import snoozeReminder from './snooze-reminder.ts'
import suggestReminders from './suggest-reminders.ts'

const LATER = new Date('2026-03-02T15:00:00.000Z')

/** A task with a reminder; the request is about the one or the other. */
const about =
  (what: 'task' | 'reminder', json?: unknown): Preparation =>
  async (deps, userId) => {
    const change = tasksAdded(userId, [{ dueAt: LATER, dueDate: '2026-03-02' }])
    const taskId = change.newTasks[0]!.id
    const reminder = aReminder({ userId, taskId, remindAt: LATER })
    await deps.changes.commit({ ...change, newReminders: [reminder] })
    return { id: what === 'task' ? taskId : reminder.id, ...(json !== undefined && { json }) }
  }

const WRITES: [string, HttpFunction, Preparation][] = [
  ['edit-reminder', editReminder, about('reminder', { offset_minutes: 30 })],
  ['remove-reminder', removeReminder, about('reminder')],
  ['snooze-reminder', snoozeReminder, about('reminder', { until: '2026-03-09T09:00:00Z' })],
  ['acknowledge-reminder', acknowledgeReminder, about('reminder')],
]

describe.each([...WRITES, ['add-reminder', addReminder, about('task', { offset_minutes: 30 })]] as const)(
  '%s',
  (_name, fn, prepare) => {
    requiresLogin(fn, prepare)
    hidesOtherUsers(fn, prepare)
    isIdempotent(fn, prepare)
  },
)

describe.each(WRITES)('%s', (_name, fn, prepare) => {
  it('refuses a stale If-Match and takes the current one', async () => {
    const deps = testDeps()
    const owner = systemIds.uuid()
    const request = await prepare(deps, owner)
    const withMatch = (tag: string) => ask(fn, deps, owner, { ...request, headers: { 'if-match': tag } })
    expect(await withMatch('"2"')).toMatchObject({ status: 412, body: { code: 'reminder.version_conflict' } })
    expect((await withMatch('4711')).status).toBe(400)
    expect((await deps.feed.after(owner, 0, 100)).length).toBe(1)
    expect((await withMatch('"9", "1"')).status).toBeLessThan(300)
    expect((await deps.feed.after(owner, 0, 100)).length).toBe(2)
  })
})

describe.each([
  ['get-reminder', getReminder, about('reminder')],
  ['list-reminders', listReminders, about('task')],
  ['suggest-reminders', suggestReminders, about('task')],
] as const)('%s', (_name, fn, prepare) => {
  requiresLogin(fn, prepare)
  hidesOtherUsers(fn, prepare)
})
