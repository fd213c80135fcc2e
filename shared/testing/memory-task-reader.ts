import type { TaskReader } from '../app/ports.ts'
import type { TaskFilter, TaskPage, TaskQuery } from '../app/task-query.ts'
import { cursorAt, placeOf, type Place } from '../db/task-reader-cursor.ts'
import { COUNTED_MATCHES } from '../db/task-reader-ranges.ts'
import { dueOrder, NEVER_DUE } from '../db/task-rows.ts'
import { respell, searchWords, wordsIn } from '../db/task-search.ts'
import { PRIORITIES, tagKey, type Task } from '../domain/task.ts'
import type { UserState } from './memory-task-state.ts'

export function createMemoryTaskReader(stateOf: (userId: string) => UserState): TaskReader {
  return {
    get: async (userId, taskId) => {
      const state = stateOf(userId)
      const task = state.tasks.get(taskId)
      if (!task || task.deletedAt) return null
      return { task, series: state.series.get(task.seriesId ?? '') ?? null }
    },
    list: async (userId, query) => list(stateOf(userId), query),
    tags: async (userId, { prefix, sort, limit }) =>
      [...stateOf(userId).tags.values()]
        .filter((tag) => tag.active + tag.completed > 0 && tag.key.startsWith(tagKey(prefix)))
        .toSorted((a, b) => {
          const byUse = b.active + b.completed - a.active - a.completed
          return (sort === 'usage' && byUse) || (a.key < b.key ? -1 : 1)
        })
        .slice(0, limit)
        .map(({ label, active, completed }) => ({ tag: label, active, completed })),
    occurrences: async (userId, seriesId, limit) =>
      [...stateOf(userId).occurrences.values()]
        .filter((occurrence) => occurrence.seriesId === seriesId)
        .toSorted((a, b) => b.occurrenceAt.getTime() - a.occurrenceAt.getTime())
        .slice(0, limit),
  }
}

function list(state: UserState, query: TaskQuery): TaskPage {
  const after = query.cursor === null ? null : placeOf(query, query.cursor)
  const candidates = [...state.tasks.values()].filter((task) => !task.deletedAt && passes(task, query))
  const matches = query.q === null ? candidates : search([...state.tasks.values()], candidates, query.q)
  const places = matches
    .map((task) => ({ task, place: placeOfTask(query, task) }))
    .toSorted((a, b) => compare(query, a.place, b.place))
  const rest = after ? places.filter(({ place }) => compare(query, place, after) > 0) : places
  const offset = after ? 0 : (query.page - 1) * query.limit
  const page = rest.slice(offset, offset + query.limit)
  const last = rest.length > offset + query.limit ? page.at(-1) : undefined
  const isFiltered = JSON.stringify({ ...query, ...NO_FILTER }) !== JSON.stringify(query)
  return {
    items: page.map(({ task }) => task),
    total: isFiltered ? Math.min(matches.length, COUNTED_MATCHES) : matches.length,
    isTotalExact: !isFiltered || matches.length <= COUNTED_MATCHES,
    nextCursor: last ? cursorAt(query, last.place) : null,
  }
}

const NO_FILTER: Omit<TaskFilter, 'status' | 'tagsMode'> = {
  ...{
    q: null,
    priorities: [],
    tags: [],
    dueAfter: null,
    dueBefore: null,
    isRecurring: null,
    parentId: null,
  },
}

function passes(task: Task, query: TaskQuery): boolean {
  const keys = task.tags.map(tagKey)
  const wanted = query.tags.map(tagKey)
  const due = dueOrder(task)
  return (
    (query.status === 'all' || (query.status === 'completed') === (task.completedAt !== null)) &&
    (query.priorities.length === 0 || query.priorities.includes(task.priority)) &&
    (wanted.length === 0 ||
      wanted[query.tagsMode === 'all' ? 'every' : 'some']((key) => keys.includes(key))) &&
    (!query.dueAfter || (due >= query.dueAfter && due < NEVER_DUE)) &&
    (!query.dueBefore || due < query.dueBefore) &&
    (query.isRecurring === null || query.isRecurring === (task.recurrenceRule !== null)) &&
    (query.parentId === null || query.parentId === task.parentId)
  )
}

/** Those among the candidates that hold the words; when there are none, those that hold what the words may have meant. */
function search(all: readonly Task[], candidates: readonly Task[], q: string): Task[] {
  const words = searchWords(q)
  if (words.length === 0) return []
  const found = candidates.filter((task) =>
    holds(
      task,
      words.map((word) => [word.toLowerCase()]),
    ),
  )
  if (found.length > 0) return found
  const present = all.filter((task) => !task.deletedAt)
  const spellings = respell(words, new Set(present.flatMap(taskWords).filter((word) => !/\d/.test(word))))
  return spellings ? candidates.filter((task) => holds(task, spellings)) : []
}

function holds(task: Task, words: readonly (readonly string[])[]): boolean {
  const own = taskWords(task)
  return words.every((spellings, index) =>
    own.some((word) =>
      index === words.length - 1 ? spellings.some((s) => word.startsWith(s)) : spellings.includes(word),
    ),
  )
}

const taskWords = (task: Task) =>
  wordsIn(`${task.title} ${task.description ?? ''}`).map((word) => word.toLowerCase())

function placeOfTask({ sortBy }: TaskQuery, task: Task): Place {
  const value = {
    due_at: () => dueOrder(task).toISOString(),
    priority: () => dueOrder(task).toISOString(),
    created_at: () => task.createdAt.toISOString(),
    updated_at: () => task.updatedAt.toISOString(),
    title: () => task.title.toLowerCase(),
    position: () => task.position,
  }[sortBy]()
  return { value, priority: PRIORITIES.indexOf(task.priority), id: task.id }
}

/** The order that TaskQuery describes. */
function compare({ sortBy, sortOrder }: TaskQuery, a: Place, b: Place): number {
  const direction = sortOrder === 'asc' ? 1 : -1
  const byPriority = b.priority - a.priority
  const byValue = a.value < b.value ? -1 : Number(a.value > b.value)
  const byId = a.id < b.id ? -1 : Number(a.id > b.id)
  if (sortBy === 'priority') return -direction * byPriority || byValue || byId
  const never = NEVER_DUE.toISOString()
  const undatedLast = sortBy === 'due_at' ? Number(a.value === never) - Number(b.value === never) : 0
  return undatedLast || direction * byValue || byPriority || byId
}
