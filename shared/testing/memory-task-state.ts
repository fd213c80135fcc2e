import type { Change, CommitResult, TagDelta } from '../app/ports.ts'
import type { RecordedEvent } from '../domain/cloud-event.ts'
import type { Reminder } from '../domain/reminder.ts'
import type { Occurrence, Series } from '../domain/series.ts'
import type { Task } from '../domain/task.ts'

export interface StoredKey {
  fingerprint: string
  /** JSON text, as in the database. */
  answer: string
  expiresAt: Date
}

/** All that is kept of one user. The values are never changed in place. */
export interface UserState {
  sequence: number
  active: number
  completed: number
  tasks: Map<string, Task>
  series: Map<string, Series>
  occurrences: Map<string, Occurrence>
  reminders: Map<string, Reminder>
  tags: Map<string, TagDelta>
  events: RecordedEvent[]
  marks: Map<string, Date>
  keys: Map<string, StoredKey>
}

export const emptyState = (): UserState => ({
  ...{ sequence: 0, active: 0, completed: 0, events: [] },
  ...{ tasks: new Map(), series: new Map(), occurrences: new Map(), reminders: new Map(), tags: new Map() },
  ...{ marks: new Map(), keys: new Map() },
})

export const copyOf = (state: UserState): UserState => ({
  ...state,
  tasks: new Map(state.tasks),
  series: new Map(state.series),
  occurrences: new Map(state.occurrences),
  reminders: new Map(state.reminders),
  tags: new Map(state.tags),
  events: [...state.events],
  marks: new Map(state.marks),
  keys: new Map(state.keys),
})

type OccurrenceKey = Pick<Occurrence, 'seriesId' | 'occurrenceAt'>
const occurrenceKey = ({ seriesId, occurrenceAt }: OccurrenceKey) =>
  `${seriesId} ${occurrenceAt.toISOString()}`

/** What commit_change (migration 0002) does, on a copy that is thrown away when the outcome is a refusal. */
export function applyChange(state: UserState, change: Change): CommitResult {
  const { idempotency, processed, series } = change
  const stored = idempotency && state.keys.get(idempotency.key)
  if (stored && stored.expiresAt > change.at) {
    if (stored.fingerprint !== idempotency.fingerprint) return { outcome: 'key_reused' }
    return { outcome: 'replayed', answer: JSON.parse(stored.answer) as unknown }
  }
  if (processed) {
    const mark = `${processed.consumer} ${processed.eventId}`
    if (state.marks.has(mark)) return { outcome: 'already_processed' }
    state.marks.set(mark, change.at)
  }
  for (const task of change.newTasks ?? []) {
    if (state.tasks.has(task.id)) throw new Error(`a second task ${task.id}`)
    state.tasks.set(task.id, task)
  }
  for (const task of change.changedTasks ?? []) {
    if (state.tasks.get(task.id)?.version !== task.version - 1) return { outcome: 'conflict' }
    state.tasks.set(task.id, task)
  }
  for (const { id, position, version } of change.movedTasks ?? []) {
    const task = state.tasks.get(id)
    if (task?.version !== version - 1) return { outcome: 'conflict' }
    state.tasks.set(id, { ...task, position, version, updatedAt: change.at })
  }
  if (series) {
    const known = state.series.get(series.id)
    if (known && known.version !== series.version - 1) return { outcome: 'conflict' }
    state.series.set(series.id, series)
  }
  for (const dropped of change.droppedOccurrences ?? []) state.occurrences.delete(occurrenceKey(dropped))
  for (const occurrence of change.newOccurrences ?? []) {
    if (state.occurrences.has(occurrenceKey(occurrence))) return { outcome: 'conflict' }
    state.occurrences.set(occurrenceKey(occurrence), occurrence)
  }
  for (const occurrence of change.changedOccurrences ?? []) {
    if (state.occurrences.has(occurrenceKey(occurrence))) {
      state.occurrences.set(occurrenceKey(occurrence), occurrence)
    }
  }
  for (const { id, version } of change.unchangedTasks ?? []) {
    if (state.tasks.get(id)?.version !== version) return { outcome: 'conflict' }
  }
  if (change.knownReminders) {
    const { taskIds, reminders } = change.knownReminders
    const isNews = ({ id, version, taskId, deletedAt }: Reminder) =>
      taskIds.includes(taskId) &&
      deletedAt === null &&
      !reminders.some((known) => known.id === id && known.version === version)
    if ([...state.reminders.values()].some(isNews)) return { outcome: 'conflict' }
  }
  for (const reminder of change.changedReminders ?? []) {
    if (state.reminders.get(reminder.id)?.version !== reminder.version - 1) return { outcome: 'conflict' }
    state.reminders.set(reminder.id, reminder)
  }
  for (const reminder of change.newReminders ?? []) state.reminders.set(reminder.id, reminder)
  for (const delta of change.tagDeltas ?? []) countTag(state, delta)
  state.active += change.activeDelta
  state.completed += change.completedDelta
  for (const draft of change.events) {
    state.sequence += 1
    state.events.push({ ...structuredClone(draft), userId: change.userId, sequence: state.sequence })
  }
  if (idempotency) {
    const { key, fingerprint, expiresAt } = idempotency
    state.keys.set(key, { fingerprint, expiresAt, answer: JSON.stringify(idempotency.answer) })
  }
  return { outcome: 'applied' }
}

function countTag(state: UserState, { key, label, active, completed }: TagDelta): void {
  const known = state.tags.get(key)
  const isInUse = known && known.active + known.completed > 0
  state.tags.set(key, {
    ...{ key, label: isInUse ? known.label : label },
    active: (known?.active ?? 0) + active,
    completed: (known?.completed ?? 0) + completed,
  })
}
