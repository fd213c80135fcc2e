import { tagKey, type Priority } from '../tasks/task.ts'
import { busiestSlots, Habits, signsOf, slotOf, type Evidence } from './habits.ts'
import { rankTasks } from './next-tasks.ts'
import {
  suggestionId,
  type OpenTask,
  type SuggestionKey,
  type SuggestionMaterial,
  type Suggestions,
  type SuggestionView,
} from './suggestion.ts'

/** How much it takes to suggest a value: so many tasks with the same sign, and of those such a share. */
const ENOUGH = {
  tag: { count: 2, share: 0.6 },
  priority: { count: 3, share: 0.7 },
  time: { count: 3, share: 0.4 },
} as const
/** Of each kind but `next`, one task has one at most. */
type ValueKind = keyof typeof ENOUGH

/**
 * What to do next, and what open tasks lack by the habits of their user. The same rows at the same time give the same
 * answer, each with the rule that it comes from.
 */
export function suggest(
  { open, done, feedback }: SuggestionMaterial,
  { now, timeZone, limit }: { now: Date; timeZone: string; limit: number },
): Suggestions {
  const trust = trustIn(feedback)
  const tags = new Habits<string>()
  const priorities = new Habits<Priority>()
  const hours = new Habits<number>()
  const labels = new Map<string, string>()
  // An open task says nothing by what it lacks: that is what may be suggested to it.
  for (const task of done) priorities.add(signsOf(task), [task.priority])
  for (const task of open) if (task.priority !== 'medium') priorities.add(signsOf(task), [task.priority])
  for (const task of [...open.filter((one) => one.tags.length > 0), ...done]) {
    tags.add(signsOf(task), task.tags.map(tagKey))
    for (const tag of task.tags) labels.set(tagKey(tag), tag)
  }
  const habitualTags = new Set<string>()
  const { weekday, hour } = slotOf(now, timeZone)
  for (const task of done) {
    const slot = slotOf(task.completedAt, timeZone)
    hours.add([...signsOf(task), 'any task'], [slot.hour])
    if (slot.weekday === weekday && Math.abs(slot.hour - hour) <= 1) {
      for (const tag of task.tags) habitualTags.add(tagKey(tag))
    }
  }
  const ranked = rankTasks(open, { now, feedback, habitualTags })
  const best = <Value extends string | number>(
    kind: ValueKind,
    task: OpenTask,
    found: Map<Value, Evidence>,
    wanted: (value: Value) => { value: string; reason: (evidence: Evidence) => string } | null,
  ): SuggestionView[] => {
    const candidates = [...found].flatMap(([value, evidence]) => {
      const suggestion = wanted(value)
      if (!suggestion || evidence.count < ENOUGH[kind].count) return []
      const key = { kind, taskId: task.id, value: suggestion.value }
      const share = (evidence.count / evidence.total) * trust(key)
      return share >= ENOUGH[kind].share ? [{ key, share, evidence, suggestion }] : []
    })
    const [first] = candidates.toSorted(
      (a, b) =>
        b.share - a.share || b.evidence.count - a.evidence.count || (a.key.value < b.key.value ? -1 : 1),
    )
    return first ? [viewOf(first.key, task, first.suggestion.reason(first.evidence))] : []
  }
  const all = ranked.map(({ task }) => task)
  const items = [
    ranked
      .filter(({ isSilent }) => !isSilent)
      .map(({ task, reason }) => viewOf({ kind: 'next', taskId: task.id, value: null }, task, reason)),
    all
      .filter((task) => task.tags.length === 0)
      .flatMap((task) =>
        best('tag', task, tags.of(signsOf(task)), (key) => ({
          value: labels.get(key)!,
          reason: ({ sign, count, total }) => `${count} of ${total} tasks with ${sign} have this tag`,
        })),
      ),
    all
      .filter(({ priority }) => priority === 'medium')
      .flatMap((task) =>
        best('priority', task, priorities.of(signsOf(task)), (priority) =>
          priority === 'medium'
            ? null
            : {
                value: priority,
                reason: ({ sign, count, total }) =>
                  `${count} of ${total} tasks with ${sign} have this priority`,
              },
        ),
      ),
    all
      .filter(({ dueAt, dueDate }) => dueDate !== null && dueAt === null)
      .flatMap((task) =>
        best('time', task, hours.of([...signsOf(task), 'any task']), (at) => ({
          value: `${String(at).padStart(2, '0')}:00`,
          reason: ({ sign, count, total }) =>
            sign === 'any task'
              ? `${count} of ${total} tasks were completed in this hour`
              : `${count} of ${total} tasks with ${sign} were completed in this hour`,
        })),
      ),
  ]
  return {
    items: items.flatMap((ofKind) => ofKind.slice(0, limit)),
    time_slots: busiestSlots(done, timeZone),
  }
}

const viewOf = (key: SuggestionKey, task: OpenTask, reason: string): SuggestionView => ({
  id: suggestionId(key),
  kind: key.kind,
  task_id: task.id,
  task_title: task.title,
  value: key.value,
  reason,
})

/** From 0 to 1: a value that was dismissed for a task is not suggested to it again, and less to others. */
function trustIn(feedback: SuggestionMaterial['feedback']): (key: SuggestionKey) => number {
  const accepted = new Map<string, number>()
  const dismissed = new Map<string, number>()
  const refused = new Set<string>()
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  for (const { kind, taskId, value, verdict } of feedback) {
    if (value === null) continue
    const name = `${kind} ${value.toLowerCase()}`
    count(verdict === 'accepted' ? accepted : dismissed, name)
    if (verdict === 'dismissed') refused.add(`${taskId} ${name}`)
  }
  return ({ kind, taskId, value }) => {
    const name = `${kind} ${value!.toLowerCase()}`
    if (refused.has(`${taskId} ${name}`)) return 0
    const yes = accepted.get(name) ?? 0
    // Two dismissals more than acceptances halve it.
    return Math.min(1, (yes + 2) / ((dismissed.get(name) ?? 0) + 2))
  }
}
