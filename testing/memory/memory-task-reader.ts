import type { TaskFilter, TaskPage, TaskQuery } from '../../shared/app/tasks/task-query.ts'
import { cursorKeyOf, taskCursor, type CursorKey } from '../../shared/db/tasks/task-reader-cursor.ts'
import { COUNTED_MATCHES } from '../../shared/db/tasks/task-reader-ranges.ts'
import { dueOrder, NEVER_DUE } from '../../shared/db/tasks/task-rows.ts'
import { pageOf } from '../../shared/db/page-bytes.ts'
import { folded, wantedTerms } from '../../shared/db/tasks/search-terms.ts'
import { asTyped, respell, type WantedTerms } from '../../shared/db/tasks/task-search.ts'
import { invalidField } from '../../shared/domain/errors.ts'
import type { DueState } from '../../shared/domain/tasks/due-state.ts'
import { PRIORITIES, tagKey, type Task } from '../../shared/domain/tasks/task.ts'

/** What `TaskReader.list` has to answer of these tasks of a user, worked out by looking at each. */
export function listInMemory(tasks: readonly Task[], query: TaskQuery): TaskPage {
  const after = cursorKeyOf(query)
  const candidates = tasks.filter((task) => passes(task, query))
  const matches = query.q === null ? candidates : search(tasks, candidates, query.q)
  const places = matches
    .map((task) => ({ task, place: placeOfTask(query, task) }))
    .toSorted((a, b) => compare(query, a.place, b.place))
  const rest = after ? places.filter(({ place }) => compare(query, place, after) > 0) : places
  const offset = after || query.page === null ? 0 : (query.page - 1) * query.limit
  const { page, hasMore, endsByBytes } = pageOf(rest.slice(offset), query.limit, ({ task }) =>
    Buffer.byteLength(JSON.stringify(task)),
  )
  if (endsByBytes && query.page !== null && !after) throw invalidField('page', 'takes more than 1 MB')
  const last = hasMore ? page.at(-1) : undefined
  const isFiltered =
    JSON.stringify({ ...query, ...NO_FILTER }) !== JSON.stringify(query) || query.status === 'deleted'
  return {
    items: page.map(({ task }) => task),
    total: isFiltered ? Math.min(matches.length, COUNTED_MATCHES) : matches.length,
    isTotalExact: !isFiltered || matches.length <= COUNTED_MATCHES,
    nextCursor: last ? taskCursor(query, last.place) : null,
  }
}

const NO_FILTER: Omit<TaskFilter, 'status' | 'tagsMode'> = {
  q: null,
  priorities: [],
  tags: [],
  dueAfter: null,
  dueBefore: null,
  due: null,
  completedAfter: null,
  completedBefore: null,
  isRecurring: null,
  parentId: null,
  isTopLevel: false,
}

function passes(task: Task, query: TaskQuery): boolean {
  const keys = task.tags.map(tagKey)
  const wanted = query.tags.map(tagKey)
  const due = dueOrder(task)
  return (
    (query.status === 'deleted') === (task.deletedAt !== null) &&
    (query.status !== 'active' || task.completedAt === null) &&
    (query.status !== 'completed' || task.completedAt !== null) &&
    (query.priorities.length === 0 || query.priorities.includes(task.priority)) &&
    (wanted.length === 0 ||
      wanted[query.tagsMode === 'all' ? 'every' : 'some']((key) => keys.includes(key))) &&
    (!query.dueAfter || (due >= query.dueAfter && due < NEVER_DUE)) &&
    (!query.dueBefore || due < query.dueBefore) &&
    (query.isRecurring === null || query.isRecurring === (task.recurrenceRule !== null)) &&
    (!query.due || isIn(task, query.due)) &&
    (!query.completedAfter || (task.completedAt !== null && task.completedAt >= query.completedAfter)) &&
    (!query.completedBefore || (task.completedAt !== null && task.completedAt < query.completedBefore)) &&
    (query.parentId === null || query.parentId === task.parentId) &&
    (!query.isTopLevel || task.parentId === null)
  )
}

function isIn({ dueAt, dueDate }: Task, due: DueState): boolean {
  if (due.is === 'none') return dueDate === null && dueAt === null
  if (due.is === 'overdue') return dueAt ? dueAt < due.now : dueDate !== null && dueDate < due.today
  return dueAt ? dueAt >= due.from && dueAt < due.until : dueDate === due.today
}

/** Those among the candidates that hold the words; when there are none, those that hold what the words may have meant. */
function search(all: readonly Task[], candidates: readonly Task[], q: string): Task[] {
  const terms = wantedTerms(q)
  if (terms.length === 0) return []
  const found = candidates.filter((task) => holds(task, asTyped(terms)))
  if (found.length > 0) return found
  const present = all.filter((task) => !task.deletedAt)
  const vocabulary = [...new Set(present.flatMap(wordsIn))].filter((word) => !/\d/.test(word))
  const respelt = respell(
    terms,
    terms.map(() => vocabulary),
  )
  return respelt ? candidates.filter((task) => holds(task, respelt)) : []
}

/** A word is compared with the words of the task, whatever else stands in its text, runs without spaces too. */
const holds = (task: Task, terms: WantedTerms): boolean =>
  terms.every(({ spellings, isBeginning }) =>
    spellings.some((spelling) => {
      if (!/^[\p{L}\p{N}]+$/u.test(spelling) || UNSPACED.test(spelling))
        return textOf(task).includes(spelling)
      return wordsIn(task).some((word) => (isBeginning ? word.startsWith(spelling) : word === spelling))
    }),
  )

const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]/u
const textOf = (task: Task) => folded(`${task.title} ${task.description ?? ''}`)
const wordsIn = (task: Task) => textOf(task).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []

function placeOfTask({ sortBy }: TaskQuery, task: Task): CursorKey {
  const value = {
    due_at: () => dueOrder(task).toISOString(),
    priority: () => dueOrder(task).toISOString(),
    created_at: () => task.createdAt.toISOString(),
    updated_at: () => task.updatedAt.toISOString(),
    completed_at: () => task.completedAt?.toISOString() ?? `~${dueOrder(task).toISOString()}`,
    title: () => task.title,
    position: () => task.position,
  }[sortBy]()
  return { value, priority: PRIORITIES.indexOf(task.priority), id: task.id }
}

const { compare: collate } = new Intl.Collator('und', { numeric: true })
const compareTitles = (a: string, b: string) =>
  collate(a, b) || Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The order that TaskQuery describes. */
function compare({ sortBy, sortOrder }: TaskQuery, a: CursorKey, b: CursorKey): number {
  const direction = sortOrder === 'asc' ? 1 : -1
  const byPriority = b.priority - a.priority
  const byValue =
    sortBy === 'title'
      ? compareTitles(`${a.value}`, `${b.value}`)
      : a.value < b.value
        ? -1
        : Number(a.value > b.value)
  const byId = a.id < b.id ? -1 : Number(a.id > b.id)
  if (sortBy === 'priority') return -direction * byPriority || byValue || byId
  const never = NEVER_DUE.toISOString()
  if (sortBy === 'completed_at') {
    const isOpen = (place: CursorKey) => String(place.value).startsWith('~')
    const openLast = Number(isOpen(a)) - Number(isOpen(b))
    return openLast || (isOpen(a) ? byValue : direction * byValue) || byPriority || byId
  }
  const undatedLast = sortBy === 'due_at' ? Number(a.value === never) - Number(b.value === never) : 0
  return undatedLast || direction * byValue || byPriority || byId
}
