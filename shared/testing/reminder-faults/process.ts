import completeTask from '../../../functions/tasks/complete-task.ts'
import createTask from '../../../functions/tasks/create-task.ts'
import deleteTask from '../../../functions/tasks/delete-task.ts'
import editTask from '../../../functions/tasks/edit-task.ts'
import reopenTask from '../../../functions/tasks/reopen-task.ts'
import restoreTask from '../../../functions/tasks/restore-task.ts'
import skipOccurrence from '../../../functions/tasks/skip-occurrence.ts'
import createNextOccurrence from '../../../functions/recurrence/create-next-occurrence.ts'
import sweepSeries from '../../../functions/recurrence/sweep-series.ts'
import deliverNotifications from '../../../functions/notifications/deliver-notifications.ts'
import sweepDeliveries from '../../../functions/notifications/sweep-deliveries.ts'
import acknowledgeReminder from '../../../functions/reminders/acknowledge-reminder.ts'
import addReminder from '../../../functions/reminders/add-reminder.ts'
import editReminder from '../../../functions/reminders/edit-reminder.ts'
import fireReminder from '../../../functions/reminders/fire-reminder.ts'
import removeReminder from '../../../functions/reminders/remove-reminder.ts'
import scheduleReminder from '../../../functions/reminders/schedule-reminder.ts'
import snoozeReminder from '../../../functions/reminders/snooze-reminder.ts'
import sweepReminders from '../../../functions/reminders/sweep-reminders.ts'
import { ownNextOccurrences } from '../../app/create-next-occurrence.ts'
import type { Deps, StartTimer } from '../../app/ports.ts'
import { createChangeStore } from '../../db/change-store.ts'
import { createDeliveryQueue } from '../../db/delivery-queue.ts'
import { createSeriesSweep } from '../../db/maintenance.ts'
import { createNotificationReader } from '../../db/notification-reader.ts'
import { createPreferenceStore } from '../../db/preference-store.ts'
import { createReminderQueue } from '../../db/reminder-queue.ts'
import { createReminderReader } from '../../db/reminder-reader.ts'
import { createSubscriptionStore } from '../../db/subscription-store.ts'
import { mountFunctions, type DaybookFunction } from '../../kit/mount-functions.ts'
import { guardBroker, guardChanges } from '../faults/guarded-ports.ts'
import { APP_TOKEN, type Process } from '../faults/process.ts'
import { beginLife, type Life } from '../faults/scheduler.ts'
import { guardAlarms, guardStore, simulateSenders } from './guarded-queues.ts'
import { idleQueues } from './idle-queues.ts'
import {
  recordChanges,
  recordDeliveryQueue,
  recordReminderQueue,
  recordSubscriptions,
  type Timepiece,
} from './journal.ts'
import type { Mishaps, ReminderWorld } from './world.ts'
import type { Chaos } from '../faults/world.ts'

const FUNCTIONS: readonly DaybookFunction[] = [
  ...[createTask, completeTask, skipOccurrence, reopenTask, deleteTask, restoreTask, editTask],
  ...[addReminder, editReminder, removeReminder, snoozeReminder, acknowledgeReminder],
  ...[createNextOccurrence, sweepSeries, fireReminder, scheduleReminder, sweepReminders],
  ...[deliverNotifications, sweepDeliveries],
]

/** A way to break the product on purpose, to prove that the oracle sees it. */
export interface ReminderSabotage {
  /** Stores as the product gets them, instead of the good ones: still waiting at every step, still written down. */
  stores?: (stores: Stores, world: ReminderWorld) => Partial<Stores>
  /** Ports as the product gets them in the end. */
  ports?: (deps: Deps, world: ReminderWorld) => Partial<Deps>
  functions?: (functions: readonly DaybookFunction[]) => readonly DaybookFunction[]
  /** Mishaps under which the flaw shows soonest. */
  chaos?: Partial<Chaos & Mishaps>
}

export type Stores = Pick<
  Deps,
  | 'changes'
  | 'sweep'
  | 'reminders'
  | 'dueReminders'
  | 'deliveries'
  | 'notifications'
  | 'preferences'
  | 'subscriptions'
>

export interface ReminderProcess extends Process {
  readonly timepiece: Timepiece
}

/** One running Daybook that does all the work: API, both workers. Time, ids, broker, jobs, senders and its death are ours. */
export function startReminderProcess(
  world: ReminderWorld,
  name: string,
  sabotage: ReminderSabotage,
): ReminderProcess {
  const life = beginLife(name)
  const timepiece = createTimepiece(world)
  const deps = composeDeps(world, { life, timepiece, sabotage })
  const functions = sabotage.functions?.(FUNCTIONS) ?? FUNCTIONS
  const app = mountFunctions(functions, deps)
  if (world.isAwake) {
    for (const fn of functions) if (fn.kind === 'cron') fn.keepAwake(deps)
  }
  return {
    ...{ life, timepiece },
    request: (path, init) => Promise.race([Promise.resolve(app.request(path, init)), life.death]),
    kill: () => {
      life.end()
      world.scheduler.forget(life)
    },
  }
}

/** Clocks of two machines are never quite the same. */
function createTimepiece(world: ReminderWorld): Timepiece {
  let highest = 0
  const timepiece: Timepiece = {
    skewMs: world.random.below(3000) - 1500,
    read: () => {
      const now = world.now + timepiece.skewMs
      highest = Math.max(highest, now)
      return now
    },
    highest: () => highest,
  }
  return timepiece
}

function composeDeps(
  world: ReminderWorld,
  { life, timepiece, sabotage }: { life: Life; timepiece: Timepiece; sabotage: ReminderSabotage },
): Deps {
  const { sql, journal } = world
  // One that is started again knows nothing of what the one before it had claimed.
  const process = `${life.name}${(world.starts += 1)}`
  const recorder = { journal, process, timepiece }
  const plain: Stores = {
    ...{
      changes: createChangeStore(sql),
      sweep: createSeriesSweep(sql),
      reminders: createReminderReader(sql),
    },
    ...{ dueReminders: createReminderQueue(sql), deliveries: createDeliveryQueue(sql) },
    ...{ notifications: createNotificationReader(sql), preferences: createPreferenceStore(sql) },
    subscriptions: createSubscriptionStore(sql),
  }
  const stores = { ...plain, ...sabotage.stores?.(plain, world) }
  const store = <Port extends object>(
    label: string,
    port: Port,
    writes: readonly (keyof Port & string)[] = [],
  ) => guardStore(world, life, { name: label, port, writes })
  const silent = () => {}
  const ports = {
    clock: { now: () => new Date(timepiece.read()) },
    startTimer: timersOf(world, life),
    ids: world.ids,
    log: { info: silent, warn: silent, error: silent },
    changes: guardChanges(world, life, recordChanges(recorder, stores.changes)),
    sweep: store('series', stores.sweep),
    reminders: store('reminders', stores.reminders),
    ...idleQueues(world, process, {
      dueReminders: store('due reminders', recordReminderQueue(recorder, stores.dueReminders), [
        ...(['claimDue', 'claimOne'] as const),
      ]),
      deliveries: store('deliveries', recordDeliveryQueue(recorder, stores.deliveries), [
        ...(['claimDue', 'claimOf', 'claimHeld'] as const),
      ]),
    }),
    notifications: store('notifications', stores.notifications),
    preferences: store('preferences', stores.preferences),
    subscriptions: store('subscriptions', recordSubscriptions(recorder, stores.subscriptions), ['remove']),
    broker: guardBroker(world, life),
    alarms: guardAlarms(world, life),
    senders: simulateSenders(world, life, process),
    // Events reach the topics from the journal: publishing them has schedules of its own (shared/testing/faults).
    publishing: { wake: silent, state: () => ({ status: 'available', since: new Date(0) }) },
    settings: { appToken: APP_TOKEN },
    authenticate: async (userId: string) => ({
      ...{ userId, view: { type: 'user', id: userId }, timeZone: 'UTC', scopes: [] },
    }),
  } as unknown as Deps
  const deps = { ...ports, ...sabotage.ports?.(ports, world) }
  deps.nextOccurrences = ownNextOccurrences(deps)
  return deps
}

/** Timers of one process: what they start waits until their time has come and the scheduler chooses it. */
export const TIMER = 'timer'

function timersOf(world: ReminderWorld, life: Life): StartTimer {
  return (work, ms) => {
    const at = world.now + ms
    let isCancelled = false
    const isDue = () => world.now >= at || isCancelled
    const wait = async () => {
      await world.scheduler.gate(life, `${life.name}: ${TIMER}`, isDue)
      if (!isCancelled) work()
    }
    void wait()
    return () => void (isCancelled = true)
  }
}
