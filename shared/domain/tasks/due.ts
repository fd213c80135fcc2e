import { invalidField } from '../errors.ts'
import type { Moment } from '../fields.ts'
import type { Task } from './task.ts'
import { civilDate, instantOf } from '../recurrence/wall-clock.ts'

type Due = Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>

interface DueRequest {
  due_at?: Moment | null | undefined
  due_date?: string | null | undefined
  time_zone?: string | undefined
}

/**
 * The due fields after a request. `due_at` alone carries its day along; `due_date` alone makes the task due on a day
 * without a time; a new zone keeps the instant and moves the day. Naming both with different days is refused.
 */
export function decideDue(before: Due, request: DueRequest): Due {
  const timeZone = request.time_zone ?? before.timeZone
  const namesTime = request.due_at !== undefined
  const namesDay = request.due_date !== undefined
  if (namesDay && !request.due_at) return { dueAt: null, dueDate: request.due_date ?? null, timeZone }
  const dueAt = namesTime ? instantOf(request.due_at ?? null, timeZone) : before.dueAt
  // Clearing a time clears its day; a day that never had a time stays.
  if (dueAt === null) return { dueAt, dueDate: before.dueAt ? null : before.dueDate, timeZone }
  const dueDate = civilDate(dueAt, timeZone)
  if (namesDay && request.due_date && request.due_date !== dueDate) {
    throw invalidField('due_date', `must be the day of due_at in ${timeZone}, which is ${dueDate}`)
  }
  return { dueAt, dueDate, timeZone }
}
