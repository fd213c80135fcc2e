import { loadFunctions } from '../../functions/main.ts'
import type { Deps } from '../../shared/app/ports.ts'
import { mountFunctions, type DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { guardBroker, guardChanges } from '../faults/guarded-ports.ts'
import { timersOf, type Process } from '../faults/process.ts'
import { beginLife, type Life } from '../faults/scheduler.ts'
import type { Chaos } from '../faults/world.ts'
import { composeDaybook } from '../worlds/compose-daybook.ts'
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

/** How the story names a timer of a process. */
export const TIMER = 'timer'
/** A mail more or less in an hour of the simulation would be another digest. */
const NO_LIMITS = { MAX_MAILS_PER_HOUR: '0', MAX_FIRST_MESSAGES_PER_HOST: '0', MAX_DELIVERIES_PER_HOST: '0' }

const FUNCTIONS = await loadFunctions([
  'tasks/create-task',
  'tasks/complete-task',
  'tasks/skip-occurrence',
  'tasks/reopen-task',
  'tasks/delete-task',
  'tasks/restore-task',
  'tasks/edit-task',
  'reminders/add-default-reminder',
  'reminders/add-reminder',
  'reminders/edit-reminder',
  'reminders/remove-reminder',
  'reminders/snooze-reminder',
  'reminders/acknowledge-reminder',
  'recurrence/create-next-occurrence',
  'recurrence/sweep-series',
  'reminders/fire-reminder',
  'reminders/schedule-reminder',
  'reminders/sweep-reminders',
  'notifications/deliver-notifications',
  'notifications/sweep-deliveries',
])

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
  | 'waitingSeries'
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
  const deps = portsOf(world, { life, timepiece, sabotage })
  const functions = sabotage.functions?.(FUNCTIONS) ?? FUNCTIONS
  const app = mountFunctions(functions, deps)
  if (world.isAwake) {
    for (const fn of functions) if (fn.kind === 'cron') fn.startPolling(deps)
  }
  return {
    life,
    timepiece,
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

function portsOf(
  world: ReminderWorld,
  { life, timepiece, sabotage }: { life: Life; timepiece: Timepiece; sabotage: ReminderSabotage },
): Deps {
  const { journal } = world
  // One that is started again knows nothing of what the one before it had claimed.
  const process = `${life.name}${(world.starts += 1)}`
  const recorder = { journal, process, timepiece }
  // Events reach the topics from the journal: publishing them has schedules of its own (testing/faults).
  const { deps: composed } = composeDaybook(world.sql, {
    env: NO_LIMITS,
    resources: {
      clock: { now: () => new Date(timepiece.read()) },
      ids: world.ids,
      startTimer: timersOf(world, life, TIMER),
      log: silentLogger,
      createBroker: () => guardBroker(world, life),
      createSenders: () => simulateSenders(world, life, process),
      createAnnouncer: () => () => {}, // nobody listens
    },
  })
  const stores: Stores = { ...composed, ...sabotage.stores?.(composed, world) }
  const store = <Port extends object>(
    label: string,
    port: Port,
    writes: readonly (keyof Port & string)[] = [],
  ) => guardStore(world, life, { name: label, port, writes })
  const ports: Deps = {
    ...composed,
    changes: guardChanges(world, life, recordChanges(recorder, stores.changes)),
    waitingSeries: store('series', stores.waitingSeries),
    reminders: store('reminders', stores.reminders),
    ...idleQueues(world, process, {
      dueReminders: store('due reminders', recordReminderQueue(recorder, stores.dueReminders), [
        ...(['claimDue', 'claimOne'] as const),
      ]),
      deliveries: store('deliveries', recordDeliveryQueue(recorder, stores.deliveries), [
        ...(['claimDue', 'claimForNotification', 'claimHeld'] as const),
      ]),
    }),
    notifications: store('notifications', stores.notifications),
    preferences: store('preferences', stores.preferences),
    subscriptions: store('subscriptions', recordSubscriptions(recorder, stores.subscriptions), ['remove']),
    alarms: guardAlarms(world, life),
    settings: { ...composed.settings, maxWeightOfUser: Infinity },
  }
  return { ...ports, ...sabotage.ports?.(ports, world) }
}
