import type { Deps } from './ports.ts'

/**
 * What a function may say it uses: slices of `Deps`. The constructors of the kit give a function those it names and no
 * others; scripts/render/platform.ts says what each needs of the platform.
 */
const CAPABILITIES = {
  tasks: ['tasks', 'changes', 'waitingSeries'],
  suggestions: ['suggestions', 'changes'],
  reminders: ['reminders', 'dueReminders', 'changes'],
  notifications: ['notifications', 'preferences', 'subscriptions', 'outbound', 'changes'],
  deliveries: ['deliveries', 'senders', 'subscriptions', 'changes'],
  events: ['publishing', 'outbox', 'broker', 'changeLog'],
  jobs: ['alarms'],
  streams: ['streams', 'changeSignal'],
  pushKeys: ['pushKeys'],
  identity: ['identity', 'authenticate'],
  deadLetters: ['deadLetters'],
  housekeeping: ['housekeeping'],
  snapshots: ['snapshots'],
  accounts: ['accounts'],
  clients: ['clientDocuments'],
  audit: ['auditTrail', 'auditTree'],
  checkpoints: ['auditTree', 'checkpointKeys', 'checkpointCopies', 'changes'],
  zones: ['zones'],
  units: ['upstreams'],
  health: ['database', 'sidecar', 'publishing', 'outbox', 'dueReminders', 'deliveries', 'waitingSeries'],
} as const satisfies Record<string, readonly (keyof Deps)[]>

export type Capability = keyof typeof CAPABILITIES

type BaseDeps = Pick<Deps, 'clock' | 'startTimer' | 'ids' | 'log' | 'settings'>

export type DepsOf<Uses extends readonly Capability[]> = BaseDeps &
  Pick<Deps, (typeof CAPABILITIES)[Uses[number]][number]>

/** Rows whose time makes work, whoever wrote them, and of which the next is known before it is due. */
export type TimedRows = 'dueReminders' | 'deliveries'
/** What wakes a cron function before its next tick: such rows, or what others should have done and have not. */
export type DueRows = TimedRows | 'outbox' | 'waitingSeries'
