import type { SuggestionReader } from '../../app/suggestions/ports.ts'
import type { Feedback } from '../../domain/suggestions/suggestion.ts'
import { PRIORITIES, type Priority } from '../../domain/tasks/task.ts'
import type { Sql } from '../connect.ts'
import { fragment, run } from '../fragment.ts'

interface TaskRow {
  id: string
  title: string
  priority: number
  tags: string[]
  due_at: string | null
  due_date: string | null
  time_zone: string
  created_at: string
  completed_at: string
}

interface Row {
  open: TaskRow[]
  done: TaskRow[]
  feedback: (Pick<Feedback, 'kind' | 'value' | 'verdict'> & { task_id: string; given_at: string })[]
}

export function createSuggestionReader(sql: Sql): SuggestionReader {
  return {
    async material(userId, limits) {
      const statement = fragment`
        select
          (select coalesce(jsonb_agg(t), '[]') from (
            select id, title, priority, tags, due_at, due_date, time_zone, created_at from tasks
            where user_id = ${userId} and is_open and deleted_at is null
            order by due_order, priority_order, id limit ${limits.open}) t) as open,
          (select coalesce(jsonb_agg(t), '[]') from (
            select title, priority, tags, completed_at from tasks
            where user_id = ${userId} and not is_open and completed_at is not null and deleted_at is null
            order by completed_at desc limit ${limits.done}) t) as done,
          (select coalesce(jsonb_agg(feedback), '[]') from (
            select data -> 'feedback' as feedback from events
            where user_id = ${userId} and type = 'suggestion.feedback.given'
            order by seq desc limit ${limits.feedback}) e) as feedback`
      return run(sql, statement, ([row]: readonly Row[]) => ({
        open: row!.open.map((task) => ({
          ...shared(task),
          id: task.id,
          dueAt: task.due_at === null ? null : new Date(task.due_at),
          dueDate: task.due_date,
          timeZone: task.time_zone,
          createdAt: new Date(task.created_at),
        })),
        done: row!.done.map((task) => ({ ...shared(task), completedAt: new Date(task.completed_at) })),
        feedback: row!.feedback.map(({ task_id: taskId, given_at, ...rest }) => ({
          ...rest,
          taskId,
          at: new Date(given_at),
        })),
      }))
    },
  }
}

const shared = ({
  title,
  priority,
  tags,
}: TaskRow): { title: string; priority: Priority; tags: string[] } => ({
  title,
  priority: PRIORITIES[priority]!,
  tags,
})
