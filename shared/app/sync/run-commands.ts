import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { DAY_MS } from '../../domain/durations.ts'
import { DomainError } from '../../domain/errors.ts'
import {
  Command,
  type CommandResult,
  type SentCommand,
  type SyncRequest,
  type SyncResult,
} from '../../domain/sync/commands.ts'
import { cursorText } from '../../domain/sync/cursor.ts'
import { mergeFields } from '../../domain/sync/merge-fields.ts'
import { tagKey, taskView, type Task } from '../../domain/tasks/task.ts'
import type { Writing } from '../commit-decision.ts'
import type { Answer, Deps, WriteContext } from '../ports.ts'
import { completeTask, deleteTask, skipOccurrence } from '../tasks/close-task.ts'
import { createTask } from '../tasks/create-task.ts'
import { mergeTask } from '../tasks/edit-task.ts'
import { reopenTask } from '../tasks/reopen-task.ts'
import { reorderTasks } from '../tasks/reorder-tasks.ts'
import { restoreTask } from '../tasks/restore-task.ts'

/** For so long a client may be away before it sends again what it does not know the answer to. */
const KEEP_MS = 30 * DAY_MS

type Parse = <Schema extends z.ZodType>(schema: Schema, value: unknown) => z.output<Schema>
/** What is kept of a command, and answered again when it comes again. */
type Outcome = Pick<CommandResult, 'task' | 'moved' | 'conflicts'>

/**
 * Runs commands of a client that was offline, one after the other, each as a whole or not at all. What is wrong with one is its
 * result; what passes by itself is thrown, and the client sends everything again.
 */
export async function runCommands(
  deps: Writing & Pick<Deps, 'changeLog'>,
  write: WriteContext,
  { client_id: clientId, commands }: SyncRequest,
  parse: Parse,
): Promise<Answer<SyncResult>> {
  const tempIds = new Map<string, string>()
  const results: CommandResult[] = []
  for (const sent of commands) {
    const result = await run(sent)
    const temp = sent['temp_id']
    if (sent.op === 'create' && typeof temp === 'string' && result.task) tempIds.set(temp, result.task.id)
    results.push(result)
  }
  const { userId } = write.actor
  const { history, newest } = await deps.changeLog.after(userId, Number.MAX_SAFE_INTEGER, 1)
  const cursor = cursorText({ history, userId }, newest)
  return { body: { results, temp_ids: Object.fromEntries(tempIds), cursor, sequence: newest } }

  async function run(sent: SentCommand): Promise<CommandResult> {
    const { id } = sent
    const fingerprint = createHash('sha256').update(JSON.stringify(sent)).digest('base64url')
    // With a blank, which no Idempotency-Key of a request has.
    const idempotency = { key: `${clientId} ${id}`, fingerprint, keepMs: KEEP_MS }
    try {
      const command = parse(Command, resolved(sent, tempIds))
      const { body, replayed } = await apply(deps, { ...write, idempotency }, command)
      const status = body.conflicts?.length ? 'conflict' : 'applied'
      return { id, status, ...(replayed && { replayed }), ...body }
    } catch (error) {
      if (!(error instanceof DomainError) || PASSING.has(error.code)) throw error
      const { code, message: detail, errors } = error
      return { id, status: 'refused', problem: { code, detail, errors } }
    }
  }
}

/** Not about the command, or over in a moment. */
const PASSING = new Set(['request.conflict', 'idempotency.in_flight', 'auth.invalid_token'])

/** With the ids of what was created in place of temporary ones. */
function resolved(sent: SentCommand, tempIds: ReadonlyMap<string, string>): unknown {
  const known = (value: unknown) => (typeof value === 'string' ? (tempIds.get(value) ?? value) : value)
  const resolve = (fields: Record<string, unknown>, names: readonly string[]) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, names.includes(name) ? known(value) : value]),
    )
  const command = resolve(sent, ['target', 'before', 'after'])
  const { fields } = command
  return fields instanceof Object ? { ...command, fields: resolve(fields as never, ['parent_id']) } : command
}

async function apply(deps: Writing, write: WriteContext, command: Command): Promise<Answer<Outcome>> {
  const ofTask = async (answer: Promise<Answer<NonNullable<Outcome['task']>>>): Promise<Answer<Outcome>> => {
    const { body: task, ...rest } = await answer
    return { ...rest, body: { task } }
  }
  switch (command.op) {
    case 'create':
      return ofTask(createTask(deps, write, command.fields))
    case 'update': {
      const { target: taskId, base, fields, scope } = command
      const isExclusive = typeof fields.parent_id === 'string'
      return mergeTask(deps, write, { taskId, scope, isExclusive }, (task) =>
        mergeFields(taskView(task), base, fields),
      )
    }
    case 'tag':
      return mergeTask(
        deps,
        write,
        { taskId: command.target, scope: 'this', isExclusive: false },
        (task) => ({
          patch: { tags: tagsAfter(task, command) },
          conflicts: [],
        }),
      )
    case 'complete':
      return ofTask(completeTask(deps, write, { id: command.target, subtasks: command.subtasks }))
    case 'reopen':
      return ofTask(reopenTask(deps, write, command.target))
    case 'skip':
      return ofTask(skipOccurrence(deps, write, command.target))
    case 'delete':
      return ofTask(deleteTask(deps, write, command.target))
    case 'restore':
      return ofTask(restoreTask(deps, write, command.target))
    case 'move': {
      const { target: task_id, before, after } = command
      const request = before === undefined ? { task_id, after: after! } : { task_id, before }
      return reorderTasks(deps, write, request)
    }
  }
}

function tagsAfter({ tags }: Task, { add, remove }: { add: string[]; remove: string[] }): string[] {
  const [gone, there] = [new Set(remove.map(tagKey)), new Set(tags.map(tagKey))]
  return [...tags.filter((tag) => !gone.has(tagKey(tag))), ...add.filter((tag) => !there.has(tagKey(tag)))]
}
