import sweepDeliveries from '../../functions/notifications/sweep-deliveries.ts'
import addDefaultReminder from '../../functions/reminders/add-default-reminder.ts'
import sweepReminders from '../../functions/reminders/sweep-reminders.ts'
import type { Change, ChangeStore } from '../../shared/app/ports.ts'
import type { DueReminder } from '../../shared/app/reminders/ports.ts'
import type { Sql } from '../../shared/db/connect.ts'
import type { ReminderSabotage, Stores } from './process.ts'

/** A Daybook that is broken in one way, and the promise that the oracle must find broken. */
export interface BrokenReminders {
  flaw: string
  rule: string
  sabotage: ReminderSabotage
  /** What has to be taken from the database first. */
  without?: (sql: Sql) => Promise<unknown>
}

const LEASES = { lostConnection: 0.02, kill: 0.02, duplicate: 0.1, clockJump: 0 }

export const BROKEN_REMINDERS: readonly BrokenReminders[] = [
  {
    flaw: 'nobody sweeps over due reminders',
    rule: 'no reminder is missed',
    sabotage: {
      functions: (functions) => functions.filter((fn) => fn !== sweepReminders),
      chaos: { lostJob: 0.7 },
    },
  },
  {
    flaw: 'nobody sweeps over the ledger',
    rule: 'every delivery comes to an end',
    sabotage: { functions: (functions) => functions.filter((fn) => fn !== sweepDeliveries) },
  },
  {
    flaw: 'a completion leaves reminders as they are',
    rule: 'reminders are what was asked for',
    sabotage: {
      stores: changeCommits((change) => (isClosing(change) ? without(change, 'changedReminders') : change)),
    },
  },
  {
    flaw: 'firing rests on nothing and no version is checked',
    rule: 'nothing fires for what is done',
    sabotage: {
      stores: ({ changes }, { sql }) => ({ changes: { ...changes, commit: carelessly(sql, changes) } }),
      chaos: { kill: 0, clockJump: 0 },
    },
  },
  {
    flaw: 'reminders have no lease, and neither versions nor the ledger are unique',
    rule: 'no reminder fires twice',
    sabotage: {
      stores: ({ changes, dueReminders }, { sql }) => ({
        changes: { ...changes, commit: carelessly(sql, changes) },
        dueReminders: {
          ...dueReminders,
          claimDue: async (claim) => {
            await sql`update reminders set lease_until = null where lease_until is not null`
            return dueReminders.claimDue(claim)
          },
        },
      }),
      chaos: LEASES,
    },
    without: dropUniqueness,
  },
  {
    flaw: 'deliveries have no lease',
    rule: 'a lease keeps others out',
    sabotage: {
      stores: ({ deliveries }, { sql }) => ({
        deliveries: {
          ...deliveries,
          claimDue: async (channel, claim) => {
            await sql`update deliveries set lease_until = null where lease_until is not null`
            return deliveries.claimDue(channel, claim)
          },
        },
      }),
      chaos: LEASES,
    },
  },
  {
    flaw: 'every try has an id of its own',
    rule: 'a message carries the id of its delivery',
    sabotage: {
      ports: ({ senders, ids }) => ({
        senders: { ...senders, email: (message, to) => senders.email({ ...message, id: ids.uuid() }, to) },
      }),
    },
  },
  {
    flaw: 'a worker sends again when nobody answers it',
    rule: 'sent again only in doubt',
    sabotage: {
      ports: ({ senders }) => ({
        senders: {
          ...senders,
          webhook: async (message, to) => {
            const first = await senders.webhook(message, to)
            return first.outcome === 'failed' ? senders.webhook(message, to) : first
          },
        },
      }),
      chaos: { sendFailure: 0.4 },
    },
  },
  {
    flaw: 'what is late does not say so',
    rule: 'what is late says so',
    sabotage: {
      ports: changeCommits((change) => ({
        ...change,
        newNotifications: (change.newNotifications ?? []).map((one) => ({
          ...one,
          notification: { ...one.notification, late: false },
        })),
      })),
    },
  },
  {
    flaw: 'the ledger lacks all but the first channel',
    rule: 'one line of the ledger per channel',
    sabotage: {
      ports: changeCommits((change) => ({
        ...change,
        newDeliveries: (change.newDeliveries ?? []).slice(0, 1),
      })),
    },
  },
  {
    flaw: 'quiet hours hold nothing',
    rule: 'one line of the ledger per channel',
    sabotage: {
      stores: ({ dueReminders }) => ({
        dueReminders: {
          ...dueReminders,
          claimDue: async (claim) => (await dueReminders.claimDue(claim)).map(inNoisyHours),
          claimOne: async (id, claim) => (await dueReminders.claimOne(id, claim)).map(inNoisyHours),
        },
      }),
    },
  },
  {
    flaw: 'what is given up leaves no letter',
    rule: 'what was given up is among the dead letters',
    sabotage: {
      ports: () => ({ broker: { eventsPerUser: 1, publishAll: async () => new Set() } }),
      chaos: { refusedSend: 0.4 },
    },
  },
  {
    flaw: 'what failed is tried again at once',
    rule: 'tries keep to the plan',
    sabotage: {
      stores: changeCommits((change) => ({
        ...change,
        changedDeliveries: (change.changedDeliveries ?? []).map((one) => ({
          ...one,
          nextAttemptAt: one.state === 'triggered' ? change.at : one.nextAttemptAt,
        })),
      })),
      chaos: { sendFailure: 0.5 },
    },
  },
  {
    flaw: 'the app does not show what is delivered to it',
    rule: 'the app shows what is delivered to it',
    sabotage: {
      ports: changeCommits((change) => ({
        ...change,
        newNotifications: (change.newNotifications ?? []).map((one) => ({ ...one, fact: null })),
      })),
    },
  },
  {
    flaw: 'reminders stay behind when a series goes on',
    rule: 'reminders go on with the series',
    sabotage: {
      ports: changeCommits((change) =>
        change.events.some(({ type }) => type === 'task.occurrence.generated')
          ? without(change, 'newReminders')
          : change,
      ),
    },
  },
  {
    flaw: 'nobody makes default reminders',
    rule: 'a task gets its default reminder',
    sabotage: { functions: (functions) => functions.filter((fn) => fn !== addDefaultReminder) },
  },
  {
    flaw: 'nobody looks whether there was a default reminder',
    rule: 'a default reminder is right',
    sabotage: {
      stores: ({ changes }) => ({
        changes: {
          ...changes,
          loadTask: async (...asked) => {
            const found = await changes.loadTask(...asked)
            return { ...found, reminders: found.reminders.filter(({ origin }) => origin !== 'default') }
          },
        },
      }),
    },
    without: (sql) => sql.unsafe('drop index reminders_by_default'),
  },
  {
    flaw: 'Idempotency-Key is ignored',
    rule: 'an accepted write happens once',
    sabotage: {
      stores: changeCommits((change) => without(change, 'idempotency')),
      chaos: { lostAnswer: 0.4 },
    },
  },
]

type Given = Pick<Stores, 'changes'>

/** Commits something else than the product asked for: as a port it knows that, as a store it does not. */
function changeCommits(alter: (change: Change) => Change): (given: Given) => Given {
  const altered = (store: ChangeStore): ChangeStore => ({
    ...store,
    commit: (change) => store.commit(alter(change)),
    exclusively: (userId, work) => store.exclusively(userId, (inner) => work(altered(inner))),
  })
  return ({ changes }) => ({ changes: altered(changes) })
}

function without(change: Change, part: keyof Change): Change {
  const { [part]: _part, ...rest } = change
  return rest as Change
}

const isClosing = ({ events }: Change): boolean => events.some(({ type }) => type === 'task.completed')

/** Firings are written over whatever became of the reminder and its task since they were decided. */
function carelessly(sql: Sql, { commit }: ChangeStore): ChangeStore['commit'] {
  return async (change) => {
    const { changedReminders = [], newNotifications = [] } = change
    if (newNotifications.length === 0 || changedReminders.length === 0) return commit(change)
    const [row] = await sql<{ version: number }[]>`
      select version from reminders where id = ${changedReminders[0]!.id}`
    const over = changedReminders.map((reminder) => ({ ...reminder, version: row!.version + 1 }))
    return commit({ ...without(change, 'unchangedTasks'), changedReminders: over })
  }
}

async function dropUniqueness(sql: Sql): Promise<void> {
  await sql.unsafe(
    'drop index deliveries_once; alter table notifications drop constraint notifications_user_id_source_key',
  )
}

function inNoisyHours(due: DueReminder): DueReminder {
  const preferences = { ...due.audience.preferences, quietHours: null }
  return { ...due, audience: { ...due.audience, preferences } }
}
