import { describe, expect, it } from 'vitest'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { deliver, takeMessages } from '../../testing/builders/messages.ts'
import { reminderService, DUE, REMIND_AT } from '../../testing/worlds/reminder-service.ts'

const service = await reminderService()
const { newUser, tick, jobs, scheduler, deps, sql, at, logged, ledger, callBack } = service

/** What was published about reminders since the last time, oldest first. */
const take = () => takeMessages(service, 'reminders')
const bring = (message: CloudEvent) => deliver(service, message, 'reminders')
const SUCCESS = { status: 'SUCCESS' }

const deliverAll = async () => {
  for (const message of await take()) expect(await bring(message)).toEqual(SUCCESS)
}

/** A task with a reminder of its own; its id. */
async function withReminder(input: object = {}) {
  const user = newUser()
  const task = await user.create({ due_at: DUE, remind_at: REMIND_AT, ...input })
  const [row] = await sql<{ id: string }[]>`select id from reminders where task_id = ${task.id}`
  return { user, task, id: row!.id, alarm: () => jobs.get(`reminder-${row!.id}`) }
}

describe('schedule-reminder', () => {
  it('has the scheduler call when the reminder is due', async () => {
    const { id, alarm } = await withReminder()
    await deliverAll()
    expect(alarm()).toEqual({
      dueTime: new Date(REMIND_AT),
      data: {},
      overwrite: true,
      failurePolicy: {
        constant: { maxRetries: expect.any(Number), interval: expect.stringMatching(/^\d+s$/) },
      },
    })
    at(REMIND_AT)
    await callBack(id)
    expect(await ledger(id)).toHaveLength(1)
  })

  it('has it call at another time when the reminder is moved', async () => {
    const { user, task, alarm } = await withReminder()
    await user.does('PATCH', `/api/tasks/${task.id}`, { remind_at: '2026-03-02T08:30:00Z' })
    await deliverAll()
    expect(alarm()?.dueTime).toEqual(new Date('2026-03-02T08:30:00Z'))
  })

  it('has it call no more when the task is closed', async () => {
    const { user, task, alarm } = await withReminder()
    await deliverAll()
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    await deliverAll()
    expect(alarm()).toBeUndefined()
  })

  it('has it call again for a repetition', async () => {
    const { alarm } = await withReminder({ priority: 'high' })
    at(REMIND_AT)
    await tick()
    await deliverAll()
    expect(alarm()?.dueTime).toEqual(new Date('2026-03-02T08:15:00Z'))
  })

  it('goes by the row, so messages may come twice, at once and out of order', async () => {
    const { user, task, alarm } = await withReminder()
    await user.does('PATCH', `/api/tasks/${task.id}`, { remind_at: '2026-03-02T08:30:00Z' })
    const messages = await take()
    for (const message of messages.toReversed()) await bring(message)
    expect(alarm()?.dueTime).toEqual(new Date('2026-03-02T08:30:00Z'))
    await Promise.all([...messages, ...messages].map(bring))
    expect(alarm()?.dueTime).toEqual(new Date('2026-03-02T08:30:00Z'))
  })

  it('is done when the scheduler is away: the sweep tells without it', async () => {
    const { id } = await withReminder()
    scheduler.isAway = true
    const before = logged.length
    await deliverAll()
    expect(logged.slice(before)).toMatchObject([{ fields: { reminder_id: id } }])
    at(REMIND_AT)
    await tick()
    expect(await ledger(id)).toHaveLength(1)
  })

  it('is called again when the database is away', async () => {
    const { id, alarm } = await withReminder()
    const message = (await take()).find(({ subject }) => subject === `reminder/${id}`)
    const { fireAtOf } = deps.dueReminders
    deps.dueReminders.fireAtOf = () => Promise.reject(new Error('the database is away'))
    expect(await bring(message!)).toEqual({ status: 'RETRY' })
    deps.dueReminders.fireAtOf = fireAtOf
    expect(await bring(message!)).toEqual(SUCCESS)
    expect(alarm()).toBeDefined()
  })
})
