import { expect, it } from 'vitest'
import { aTask } from '../../testing/builders/a-task.ts'
import { taskFact } from '../domain/decision.ts'
import { TaskCompleted, TaskCreated, TaskDeleted } from '../domain/events.ts'
import type { Notification } from '../domain/notifications/notification.ts'
import { systemIds } from '../kit/system.ts'
import { systemOrigin, toChange } from './commit-decision.ts'

const task = aTask()
const facts = [TaskCreated, TaskCompleted, TaskDeleted].map((definition) => taskFact(definition, task))
const origin = systemOrigin('test', { userId: task.userId, now: new Date(0), madeBy: 'cron/test' })
const notification = { id: systemIds.uuid() } as Notification

it('a notification gets the place of the event that shows it, wherever that stands', () => {
  for (const order of [facts, facts.toReversed()]) {
    const change = toChange({ ids: systemIds }, origin, {
      newNotifications: [
        { notification, shownBy: facts[2]! },
        { notification, shownBy: null },
      ],
      shownNotifications: [{ id: notification.id, shownBy: facts[0]! }],
      readNotifications: [{ id: notification.id, shownBy: facts[1]! }],
      facts: order,
    })
    const [shown, hidden] = change.newNotifications!
    const typeOf = (fact: number | null) => fact !== null && change.events[fact]!.type
    expect([shown, hidden].map((one) => typeOf(one!.fact))).toEqual(['task.deleted', false])
    expect(change.shownNotifications!.map(({ fact }) => typeOf(fact))).toEqual(['task.created'])
    expect(change.readNotifications!.map(({ fact }) => typeOf(fact))).toEqual(['task.completed'])
  }
})

it('a notification cannot be shown by what is not recorded', () => {
  const decision = { newNotifications: [{ notification, shownBy: facts[0]! }], facts: [facts[1]!] }
  expect(() => toChange({ ids: systemIds }, origin, decision)).toThrow('not recorded')
})
