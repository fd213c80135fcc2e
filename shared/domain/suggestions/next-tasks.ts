import { DAY_MS, HOUR_MS } from '../durations.ts'
import { addDays, civilDate } from '../recurrence/wall-clock.ts'
import type { Feedback, OpenTask } from './suggestion.ts'

export interface RankedTask {
  task: OpenTask
  reason: string
  /** Not now: it was dismissed a short while ago. */
  isSilent: boolean
}

interface Point {
  points: number
  reason: string | null
}

/** A task that is dismissed is not suggested for so long. */
const SILENCE_MS = DAY_MS
const OLD_AFTER_MS = 14 * DAY_MS

/** Open tasks, what to do first at the top. Points add up; the reasons are those of all points but the usual ones. */
export function rankTasks(
  open: readonly OpenTask[],
  {
    now,
    feedback,
    habitualTags,
  }: { now: Date; feedback: readonly Feedback[]; habitualTags: ReadonlySet<string> },
): RankedTask[] {
  const dismissals = new Map<string, Feedback[]>()
  for (const one of feedback) {
    if (one.kind !== 'next' || one.verdict !== 'dismissed') continue
    dismissals.set(one.taskId, [...(dismissals.get(one.taskId) ?? []), one])
  }
  return open
    .map((task) => {
      const dismissed = dismissals.get(task.id) ?? []
      const made = [
        dueness(task, now),
        urgency(task),
        habit(task, habitualTags),
        age(task, now),
        { points: -10 * Math.min(3, dismissed.length), reason: null },
      ]
      const reasons = made.flatMap(({ reason }) => reason ?? [])
      return {
        task,
        points: made.reduce((sum, { points }) => sum + points, 0),
        reason: reasons.length > 0 ? reasons.join(', ') : 'open',
        isSilent: dismissed.some(({ at }) => now.getTime() - at.getTime() < SILENCE_MS),
      }
    })
    .toSorted(
      (a, b) => b.points - a.points || dueOf(a.task) - dueOf(b.task) || (a.task.id < b.task.id ? -1 : 1),
    )
    .map(({ points: _points, ...ranked }) => ranked)
}

const dueOf = ({ dueAt, dueDate }: OpenTask): number =>
  dueAt ? dueAt.getTime() : dueDate ? Date.parse(dueDate) + DAY_MS : Infinity

function dueness({ dueAt, dueDate, timeZone }: OpenTask, now: Date): Point {
  const today = civilDate(now, timeZone)
  if (dueDate === null) return { points: 0, reason: null }
  if (dueAt ? dueAt < now : dueDate < today) {
    const days = Math.min(10, Math.max(0, Math.round((Date.parse(today) - Date.parse(dueDate)) / DAY_MS)))
    return { points: 100 + days, reason: `overdue since ${dueDate}` }
  }
  if (dueAt && dueAt.getTime() - now.getTime() <= 2 * HOUR_MS)
    return { points: 90, reason: 'due within 2 hours' }
  if (dueDate === today) return { points: 70, reason: 'due today' }
  if (dueDate === addDays(today, 1)) return { points: 40, reason: 'due tomorrow' }
  return dueDate <= addDays(today, 7)
    ? { points: 20, reason: `due on ${dueDate}` }
    : { points: 5, reason: null }
}

function urgency({ priority }: OpenTask): Point {
  if (priority === 'high') return { points: 30, reason: 'high priority' }
  return { points: priority === 'medium' ? 10 : 0, reason: null }
}

function habit({ tags }: OpenTask, habitualTags: ReadonlySet<string>): Point {
  const tag = tags.find((one) => habitualTags.has(one.toLowerCase()))
  return tag === undefined
    ? { points: 0, reason: null }
    : { points: 15, reason: `#${tag} is often done at this time` }
}

function age({ createdAt, dueDate }: OpenTask, now: Date): Point {
  const isOld = dueDate === null && now.getTime() - createdAt.getTime() > OLD_AFTER_MS
  return isOld
    ? { points: 5, reason: `open since ${createdAt.toISOString().slice(0, 10)}` }
    : { points: 0, reason: null }
}
