import { describe, expect, it } from 'vitest'
import { systemIds } from '../../shared/kit/system.ts'
import { reminderService, REMIND_AT } from '../../testing/worlds/reminder-service.ts'

const { newUser, reminded, callBack, ledger, row, jobs, app, deps, sql, at } = await reminderService()

describe('the job of a reminder', () => {
  it('fires it, and no other', async () => {
    const user = newUser()
    const [{ reminder }, other] = [await reminded(user), await reminded(user)]
    at(REMIND_AT)
    expect(await callBack(reminder.id)).toBe(204)
    expect(await ledger(reminder.id)).toMatchObject([{ state: 'delivered', late: false }])
    expect(await ledger(other.reminder.id)).toEqual([])
  })

  it('fires it once when it comes twice, one after the other or at the same time', async () => {
    const { reminder } = await reminded(newUser())
    at(REMIND_AT)
    const statuses = await Promise.all(Array.from({ length: 6 }, () => callBack(reminder.id)))
    expect([...statuses, await callBack(reminder.id)]).toEqual(Array.from({ length: 7 }, () => 204))
    expect(await ledger(reminder.id)).toHaveLength(1)
  })

  it('that comes early does nothing but come again in time', async () => {
    const { reminder } = await reminded(newUser())
    at('2026-03-02T08:04:59.500Z')
    await callBack(reminder.id)
    expect(await ledger(reminder.id)).toEqual([])
    expect(jobs.get(`reminder-${reminder.id}`)).toMatchObject({ dueTime: new Date(REMIND_AT) })
  })

  it('that comes while another worker fires its reminder does not come again at once, for ever', async () => {
    const { reminder } = await reminded(newUser())
    at(REMIND_AT)
    const claim = { now: deps.clock.now(), leaseUntil: new Date('2026-03-02T08:05:30Z'), limit: 1 }
    expect(await deps.dueReminders.claimOne(reminder.id, claim)).toHaveLength(1)
    expect(await callBack(reminder.id)).toBe(204)
    expect(jobs.size).toBe(0)
  })

  it('that comes late fires what nobody has fired, and says that it is late', async () => {
    const { reminder } = await reminded(newUser())
    at('2026-03-02T08:30:00Z')
    await callBack(reminder.id)
    expect(await ledger(reminder.id)).toMatchObject([{ late: true }])
  })

  it('that is about nothing (any more) is done with', async () => {
    const { task, reminder } = await reminded(newUser())
    await sql`with gone as (delete from reminders where id = ${reminder.id} returning user_id)
      update user_counters set open_reminders = open_reminders - 1 where user_id in (select user_id from gone)`
    await sql`select 1 from tasks where id = ${task.id}`
    at(REMIND_AT)
    expect(await callBack(reminder.id)).toBe(204)
    expect(await callBack(systemIds.uuid())).toBe(204)
    expect(await callBack('no-uuid')).toBe(204)
    expect(jobs.size).toBe(0)
  })

  it('is to come again when the database does not answer', async () => {
    const { reminder } = await reminded(newUser())
    at(REMIND_AT)
    const { claimOne } = deps.dueReminders
    deps.dueReminders.claimOne = () => Promise.reject(new Error('the database is away'))
    expect(await callBack(reminder.id)).toBe(500)
    deps.dueReminders.claimOne = claimOne
    expect(await callBack(reminder.id)).toBe(204)
    expect(await row(reminder.id)).toMatchObject({ firedAt: new Date(REMIND_AT) })
  })

  it('is for the sidecar only', async () => {
    const { reminder } = await reminded(newUser())
    at(REMIND_AT)
    const answer = await app.request(`/job/reminder-${reminder.id}`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
    expect(await ledger(reminder.id)).toEqual([])
  })
})
