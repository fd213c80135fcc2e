import type { Change } from '../../app/ports.ts'
import type { Occurrence } from '../../domain/recurrence/series.ts'
import { preferencesToRow } from '../audience.ts'
import { deliveryToRow, notificationToRow, reminderToRow } from '../reminders/reminder-rows.ts'
import { occurrenceToRow, seriesToRow, slotZone, taskToRow } from '../tasks/task-rows.ts'

/** `seq` counts from the change's first event, 1; commit_reminding adds what came before. */
const seqOf = ({ id, fact }: { id: string; fact: number }) => ({ id, seq: fact + 1 })

/** The `change` of commit_change: in column names, without the parts it does not have. */
export function changeRow(change: Change): Record<string, unknown> {
  const rows = <T>(name: string, list: readonly T[] | undefined, row: (item: T) => object) =>
    list && list.length > 0 ? { [name]: list.map(row) } : {}
  // A new one always comes with its series; of one that is known the wall time stays.
  const occurrence = (one: Occurrence) => occurrenceToRow(one, change.series ? slotZone(change.series) : null)
  return {
    user_id: change.userId,
    at: change.at.toISOString(),
    active_delta: change.activeDelta,
    completed_delta: change.completedDelta,
    ...(change.limits && { limits: change.limits }),
    ...rows('new_tasks', change.newTasks, taskToRow),
    ...rows('changed_tasks', change.changedTasks, taskToRow),
    ...rows('moved_tasks', change.movedTasks, (moved) => moved),
    ...(change.freePlaces && { free_places: change.freePlaces }),
    ...rows('new_occurrences', change.newOccurrences, occurrence),
    ...rows('changed_occurrences', change.changedOccurrences, occurrence),
    ...rows('dropped_occurrences', change.droppedOccurrences, ({ seriesId, occurrenceAt }) => ({
      series_id: seriesId,
      occurrence_at: occurrenceAt.toISOString(),
    })),
    ...rows('unchanged_tasks', change.unchangedTasks, ({ id, version }) => ({ id, version })),
    ...(change.knownReminders && {
      known_reminders: {
        task_ids: change.knownReminders.taskIds,
        reminders: change.knownReminders.reminders.map(({ id, version }) => ({ id, version })),
      },
    }),
    ...rows('changed_reminders', change.changedReminders, reminderToRow),
    ...rows('new_reminders', change.newReminders, reminderToRow),
    ...rows('new_notifications', change.newNotifications, notificationToRow),
    ...rows('new_deliveries', change.newDeliveries, deliveryToRow),
    ...rows('changed_deliveries', change.changedDeliveries, deliveryToRow),
    ...rows('unchanged_deliveries', change.unchangedDeliveries, ({ id, version }) => ({ id, version })),
    ...rows('shown_notifications', change.shownNotifications, seqOf),
    ...rows('read_notifications', change.readNotifications, seqOf),
    ...(change.confirmedTarget !== undefined && { confirmed_target: change.confirmedTarget }),
    ...(change.nextDigest && { next_digest: change.nextDigest }),
    ...(change.movedZone && {
      moved_zone: { version: change.movedZone.version, next_digest_at: change.movedZone.nextDigestAt },
    }),
    ...(change.preferences && { preferences: preferencesToRow(change.preferences, change.at) }),
    ...rows('tag_deltas', change.tagDeltas, (delta) => delta),
    ...rows(
      'series',
      [...(change.series ? [change.series] : []), ...(change.seriesBelow ?? [])],
      seriesToRow,
    ),
    ...(change.emptied && { emptied: { task_ids: change.emptied.taskIds, of: change.emptied.of } }),
    events: change.events.map(({ trace, time, ...event }) => ({
      ...event,
      time: time.toISOString(),
      ...trace,
    })),
    ...(change.processed && {
      processed: [{ consumer: change.processed.consumer, event_id: change.processed.eventId }],
    }),
    ...(change.idempotency && {
      idempotency: {
        key: change.idempotency.key,
        fingerprint: change.idempotency.fingerprint,
        answer: JSON.stringify(change.idempotency.answer),
        expires_at: change.idempotency.expiresAt.toISOString(),
      },
    }),
  }
}
