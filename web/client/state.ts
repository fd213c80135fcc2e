import type { SyncResult, Task } from './api.ts'

/** What a person has done, without the id that it gets. */
export type Command =
  | { op: 'create'; temp_id: string; fields: { title: string; [field: string]: unknown } }
  | { op: 'update'; target: string; fields: Partial<Task>; base: Partial<Task> }
  | { op: 'tag'; target: string; add?: string[]; remove?: string[] }
  | { op: 'complete' | 'reopen' | 'delete' | 'restore' | 'skip'; target: string }
  | { op: 'move'; target: string; before?: string; after?: string }

interface Pending {
  command: Command & { id: string }
  /** Of the cursor at which its effects end; null until it is answered. */
  until: number | null
}

/** What a client keeps, as a whole. */
export interface State {
  clientId: string
  lastId: number
  cursor: string | null
  sequence: number
  tasks: Record<string, Task>
  pending: Pending[]
}

/** A message of /api/tasks/ws that tells of tasks. */
export interface TaskMessage {
  type: string
  data?: Task & { positions?: { task_id: string; position: number; version: number }[] }
}

export const emptyState = (clientId: string): State => ({
  clientId,
  lastId: 0,
  cursor: null,
  sequence: 0,
  tasks: {},
  pending: [],
})

/** What a person sees: what the server has confirmed, with what is still under way applied again. */
export function tasksOf({ tasks, pending }: State): Task[] {
  const shown = new Map(Object.entries(tasks))
  for (const { command } of pending) apply(shown, command)
  return [...shown.values()]
    .filter((task) => task.deleted_at === null)
    .toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1))
}

function apply(tasks: Map<string, Task>, command: Command): void {
  if (command.op === 'create') {
    const { temp_id: id, fields } = command
    const blank = {
      id,
      description: null,
      priority: 'medium',
      tags: [],
      is_completed: false,
      deleted_at: null,
    }
    tasks.set(id, { ...blank, position: Number.MAX_SAFE_INTEGER, ...fields } as unknown as Task)
    return
  }
  const task = tasks.get(command.target)
  const changes = task && changesOf(task, command)
  if (task && changes) tasks.set(task.id, { ...task, ...changes })
}

function changesOf(task: Task, command: Exclude<Command, { op: 'create' }>): Partial<Task> {
  switch (command.op) {
    case 'update':
      return command.fields
    case 'tag': {
      const gone = new Set(command.remove)
      return { tags: [...new Set([...task.tags.filter((tag) => !gone.has(tag)), ...(command.add ?? [])])] }
    }
    case 'complete':
      return { is_completed: true }
    case 'reopen':
      return { is_completed: false }
    case 'delete':
      return { deleted_at: 'soon' }
    case 'restore':
      return { deleted_at: null }
    case 'skip':
    case 'move':
      return {} // seen when the server has done it
  }
}

/** After a batch of messages and the cursor behind it, both or neither. */
export function afterBatch(
  state: State,
  batch: readonly TaskMessage[],
  { cursor, sequence }: { cursor: string; sequence: number },
): State {
  const tasks = { ...state.tasks }
  for (const { type, data } of batch) {
    if (!data) continue
    if (type === 'task.deleted') delete tasks[data.id]
    else if (type === 'task.reordered') {
      for (const { task_id: id, position, version } of data.positions ?? []) {
        if (tasks[id]) tasks[id] = { ...tasks[id], position, version, updated_at: data.updated_at }
      }
    } else tasks[data.id] = data
  }
  return seen({ ...state, tasks, cursor, sequence })
}

/** With a snapshot in place of everything that is confirmed. What is under way stays. */
export const afterSnapshot = (
  state: State,
  tasks: readonly Task[],
  place: { cursor: string; sequence: number },
): State =>
  seen({
    ...state,
    ...place,
    tasks: Object.fromEntries(
      tasks.filter((task) => task.deleted_at === null).map((task) => [task.id, task]),
    ),
  })

/** Optimism ends when the changes show what came of it, not when the request is answered. */
const seen = (state: State): State => ({
  ...state,
  pending: state.pending.filter(({ until }) => until === null || until > state.sequence),
})

/** After an answer: what was refused is taken back, and temporary ids are known. */
export function afterAnswer(state: State, { results, temp_ids: ids, sequence }: SyncResult): State {
  const answered = new Map(results.map((result) => [result.id, result.status]))
  const idOf = (id: string) => ids[id] ?? id
  const pending = state.pending.flatMap(({ command, until }): Pending[] => {
    const status = answered.get(command.id)
    if (status === 'refused') return []
    return [status ? { command, until: sequence } : { command: withIds(command, idOf), until }]
  })
  return seen({ ...state, pending })
}

function withIds(command: Pending['command'], idOf: (id: string) => string): Pending['command'] {
  if (command.op !== 'create') return { ...command, target: idOf(command.target) }
  const parent = command.fields['parent_id']
  return typeof parent === 'string'
    ? { ...command, fields: { ...command.fields, parent_id: idOf(parent) } }
    : command
}
