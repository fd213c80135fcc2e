import type { Alarms } from '../../shared/app/reminders/ports.ts'
import type { Message, Senders, SendResult } from '../../shared/app/notifications/ports.ts'
import type { Channel } from '../../shared/domain/notifications/notification.ts'
import { ConnectionLost } from '../faults/guarded-ports.ts'
import type { Life } from '../faults/scheduler.ts'
import type { ReminderWorld } from './world.ts'

type Call = (...args: never[]) => Promise<unknown>

/**
 * Any port on PostgreSQL as one process sees it: each call waits before it reaches the database and, where it writes,
 * again before its answer comes back.
 */
export function guardStore<Port extends object>(
  world: ReminderWorld,
  life: Life,
  { name, port, writes }: { name: string; port: Port; writes: readonly (keyof Port & string)[] },
): Port {
  const { scheduler } = world
  const guarded = Object.entries(port as Record<string, Call>).map(([method, call]) => {
    const label = `${life.name}: ${name} ${method}`
    const isWrite = (writes as readonly string[]).includes(method)
    const through = async (...args: never[]) => {
      await scheduler.gate(life, label)
      if (world.injects('lostConnection')) throw new ConnectionLost(label)
      const result = await scheduler.outside(() => call(...args))
      // A claim that found nothing has changed nothing.
      const isNothing = result === null || (Array.isArray(result) && result.length === 0)
      if (!isWrite || isNothing) return result
      await scheduler.gate(life, `${label} done`)
      if (world.injects('lostConnection')) throw new ConnectionLost(label)
      return result
    }
    return [method, through]
  })
  return Object.fromEntries(guarded) as Port
}

/** The scheduler of jobs: it may be away, forget a job, or do what it is asked and not say so. */
export function guardAlarms(world: ReminderWorld, life: Life): Alarms {
  const { scheduler, jobs, everSet } = world
  const ask = async (label: string, work: () => void) => {
    await scheduler.gate(life, `${life.name}: ${label}`)
    const fails = world.befalls('alarmFailure') || world.now < world.brokerBackAt
    if (!fails || world.random.chance(0.5)) work()
    await scheduler.gate(life, `${life.name}: ${label} done`)
    if (fails) throw new Error('the scheduler did not answer')
  }
  return {
    set: (id, at) =>
      ask('set job', () => {
        everSet.add(id)
        if (!world.befalls('lostJob')) jobs.set(id, at.getTime())
      }),
    cancel: (id) => ask('cancel job', () => void jobs.delete(id)),
  }
}

/** Everything that messages go through. Whatever happens is written down as the other side saw it. */
export function simulateSenders(world: ReminderWorld, life: Life, process: string): Senders {
  const { scheduler, journal } = world
  const send =
    (channel: Channel) =>
    async ({ id, notification }: Message): Promise<SendResult> => {
      await scheduler.gate(life, `${life.name}: send ${channel}`)
      const { isTaken, said } = fateOf(world, channel)
      const what = { deliveryId: id, notificationId: notification.id, channel }
      journal.write({ kind: 'send', process, ...what, isTaken, said })
      await scheduler.gate(life, `${life.name}: sent ${channel}: ${isTaken ? 'taken' : 'not taken'}, ${said}`)
      if (said === 'delivered') return { outcome: said }
      return { outcome: said, reason: said }
    }
  return {
    email: send('email'),
    web_push: send('web_push'),
    mobile_push: send('mobile_push'),
    webhook: send('webhook'),
  }
}

function fateOf(
  world: ReminderWorld,
  channel: Channel,
): { isTaken: boolean; said: 'delivered' | 'failed' | 'refused' | 'gone' } {
  if (world.now < world.sendersBackAt || world.befalls('sendFailure'))
    return { isTaken: false, said: 'failed' }
  if (world.befalls('unheardSend')) return { isTaken: true, said: 'failed' }
  if (world.befalls('refusedSend')) {
    return { isTaken: false, said: channel.endsWith('push') && world.random.chance(0.5) ? 'gone' : 'refused' }
  }
  return { isTaken: true, said: 'delivered' }
}
