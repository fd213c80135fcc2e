import type { Occurrence, Series } from '../../domain/recurrence/series.ts'
import type { LoadedTask } from '../tasks/ports.ts'

/** A series that waits for its next occurrence, and the task of the one that was closed last. */
export interface LoadedSeries extends Pick<LoadedTask, 'task' | 'reminders' | 'hasSubtasks'> {
  series: Series
  /** What recent-occurrences.ts finds; null when that is too much for one answer, or nothing. */
  recent: Occurrence[] | null
}

export interface WaitingSeries {
  userId: string
  seriesId: string
  waitingSince: Date
}

export interface WaitingSeriesReader {
  /** Active series whose live task has been missing since before `idleSince`: those after one, the longest first. */
  withoutLiveTask(idleSince: Date, after: WaitingSeries | null, limit: number): Promise<WaitingSeries[]>
}
