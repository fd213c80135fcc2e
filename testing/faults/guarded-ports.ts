import type { Broker, Outbox } from '../../shared/app/outbox/ports.ts'
import type { Change, ChangeStore, CommitResult } from '../../shared/app/ports.ts'
import { never, type Life } from './scheduler.ts'
import type { World } from './world.ts'

/** The connection broke; the code is the one that postgres.js gives. */
export class ConnectionLost extends Error {
  readonly code = 'CONNECTION_CLOSED'
}

/** A gate of one process with its name before the label. */
const gateOf = (world: World, life: Life) => (label: string, isReady?: () => boolean) =>
  world.scheduler.gate(life, `${life.name}: ${label}`, isReady)

/**
 * The stores of one process. Every statement waits at a gate before it reaches PostgreSQL, every write also before its
 * answer comes back; a process killed at the first has done nothing, at the second everything.
 */
export function guardChanges(world: World, life: Life, real: ChangeStore): ChangeStore {
  const gate = gateOf(world, life)
  const { scheduler, held } = world

  const guard = (store: ChangeStore, isFree: (userId: string) => boolean): ChangeStore => {
    const read = async <T>(label: string, run: () => Promise<T>): Promise<T> => {
      await gate(label)
      if (world.injects('lostConnection')) throw new ConnectionLost(label)
      return scheduler.outside(run)
    }
    const write = async (changes: readonly Change[], run: () => Promise<CommitResult[]>) => {
      const facts = changes.flatMap(({ events }) => events.map(({ type }) => type)).join(' + ') || 'nothing'
      await gate(`commit ${facts}`, () => changes.every(({ userId }) => isFree(userId)))
      if (world.injects('lostConnection')) throw new ConnectionLost('before commit')
      const results = await scheduler.outside(run)
      await gate(`committed ${facts}: ${results.map(({ outcome }) => outcome).join()}`)
      if (world.injects('lostConnection')) throw new ConnectionLost('after commit')
      return results
    }
    return {
      loadTask: (...args) => read('load task', () => store.loadTask(...args)),
      loadSeries: (...args) => read('load series', () => store.loadSeries(...args)),
      loadWaiting: (...args) => read('load waiting series', () => store.loadWaiting(...args)),
      lastClosed: (...args) => read('load last closed', () => store.lastClosed(...args)),
      loadOccurrences: (...args) => read('load occurrences', () => store.loadOccurrences(...args)),
      loadTasks: (...args) => read('load tasks', () => store.loadTasks(...args)),
      loadPlaces: (...args) => read('load places', () => store.loadPlaces(...args)),
      loadReminder: (...args) => read('load reminder', () => store.loadReminder(...args)),
      loadReminders: (...args) => read('load reminders', () => store.loadReminders(...args)),
      loadOpenSiblings: (...args) => read('load siblings', () => store.loadOpenSiblings(...args)),
      loadFollowing: (...args) => read('load following', () => store.loadFollowing(...args)),
      loadPreceding: (...args) => read('load preceding', () => store.loadPreceding(...args)),
      ancestors: (...args) => read('load ancestors', () => store.ancestors(...args)),
      loadSubtasks: (...args) => read('load subtasks', () => store.loadSubtasks(...args)),
      countSubtasks: (...args) => read('count subtasks', () => store.countSubtasks(...args)),
      loadSeriesBelow: (...args) => read('load series below', () => store.loadSeriesBelow(...args)),
      storedAnswer: (...args) => read('load answer', () => store.storedAnswer(...args)),
      forgetAnswer: (...args) => read('forget answer', () => store.forgetAnswer(...args)),
      loadPreferences: (...args) => read('load preferences', () => store.loadPreferences(...args)),
      defaultReminderMinutes: (...args) =>
        read('default reminder minutes', () => store.defaultReminderMinutes(...args)),
      commit: async (change) => (await write([change], async () => [await store.commit(change)]))[0]!,
      commitAll: (changes) =>
        write(changes, async () => {
          const results = await store.commitAll(changes)
          if (results.filter(({ outcome }) => outcome === 'applied').length > 1)
            world.note('committed together')
          return results
        }),
      exclusively: (userId, work) => exclusively(store, userId, work),
    }
  }

  /** A transaction over several steps. Killed within, its connection breaks and PostgreSQL rolls it back. */
  async function exclusively<T>(
    store: ChangeStore,
    userId: string,
    work: (store: ChangeStore) => Promise<T>,
  ): Promise<T> {
    await gate('begin', () => !held.has(userId))
    held.add(userId)
    const body = async (inner: ChangeStore) => {
      const result = await Promise.race([work(guard(inner, () => true)), life.death])
      await Promise.race([gate('commit transaction'), life.death])
      return result
    }
    try {
      return await scheduler.outside(() =>
        store.exclusively(userId, (inner) => scheduler.inside(() => body(inner))),
      )
    } catch (error) {
      if (life.isOver) return never()
      throw error
    } finally {
      held.delete(userId)
    }
  }

  return guard(real, (userId) => !held.has(userId))
}

/** The outbox of one process; a publisher killed while it publishes loses its locks and forgets nothing. */
export function guardOutbox(world: World, life: Life, real: Outbox): Outbox {
  const gate = gateOf(world, life)
  const { scheduler } = world
  return {
    backlog: () => real.backlog(),
    drain: async (limit, publish) => {
      await gate('claim events')
      if (world.injects('lostConnection')) throw new ConnectionLost('before claim')
      const body: typeof publish = async (events) => {
        const sent = await Promise.race([publish(events), life.death])
        await Promise.race([gate(`forget ${sent.length} of ${events.length} published`), life.death])
        if (world.injects('lostConnection')) throw new ConnectionLost('before forgetting')
        return sent
      }
      try {
        return await scheduler.outside(() =>
          real.drain(limit, (events) => scheduler.inside(() => body(events))),
        )
      } catch (error) {
        if (life.isOver) return never()
        throw error
      }
    },
  }
}

/** The broker as one process sees it: it may be away, take of each user's events the first ones, or take all and fail to say so. */
export function guardBroker(world: World, life: Life): Broker {
  const gate = gateOf(world, life)
  return {
    eventsPerUser: world.eventsPerUser,
    publishAll: async (topic, events) => {
      await gate(`publish ${events.length} to ${topic}`)
      if (world.now < world.brokerBackAt) throw new Error('the broker is away')
      const fails = world.injects('brokerFailure')
      const refused = new Set<string>()
      const users = new Set<string>()
      if (!fails || world.random.chance(0.5)) {
        for (const event of events) {
          if (users.has(event.userid) || (!fails && world.injects('refusal'))) {
            refused.add(event.id)
            users.add(event.userid)
          } else world.topics.accept(topic, event)
        }
      }
      await gate(`published to ${topic}`)
      if (fails) throw new Error('the broker did not answer')
      return refused
    },
  }
}
