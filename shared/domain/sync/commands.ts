import { z } from 'zod'
import { uuid } from '../fields.ts'
import { EditScope, TaskInput, TaskPatch, TaskView } from '../tasks/task.ts'
import { FieldConflict } from './merge-fields.ts'

const OPS = ['create', 'update', 'tag', 'complete', 'reopen', 'skip', 'delete', 'restore', 'move'] as const
const MAX_COMMANDS = 500

const name = (most: number) =>
  z
    .string()
    .regex(new RegExp(`^[\\x21-\\x7e]{1,${most}}$`), `must have 1 to ${most} visible ASCII characters`)
const command = { id: name(64) }
const onTask = { ...command, target: uuid }
const tags = z.array(z.string()).max(50).default([])

/** What each command is, once its temporary ids are resolved. */
export const Command = z.discriminatedUnion('op', [
  z.strictObject({ ...command, op: z.literal('create'), temp_id: name(64).optional(), fields: TaskInput }),
  z.strictObject({
    ...onTask,
    op: z.literal('update'),
    fields: TaskPatch,
    base: z.record(z.string(), z.unknown()).default({}),
    scope: EditScope,
  }),
  z.strictObject({ ...onTask, op: z.literal('tag'), add: tags, remove: tags }),
  z.strictObject({
    ...onTask,
    op: z.literal('complete'),
    subtasks: z.enum(['complete', 'keep']).default('complete'),
  }),
  z.strictObject({ ...onTask, op: z.literal('reopen') }),
  z.strictObject({ ...onTask, op: z.literal('skip') }),
  z.strictObject({ ...onTask, op: z.literal('delete') }),
  z.strictObject({ ...onTask, op: z.literal('restore') }),
  z
    .strictObject({ ...onTask, op: z.literal('move'), before: uuid.optional(), after: uuid.optional() })
    .refine(({ before, after }) => (before === undefined) !== (after === undefined), {
      path: ['after'],
      message: 'is needed, or before',
    }),
])
export type Command = z.infer<typeof Command>

/** As it is sent; what is wrong with one command is answered with it and keeps no other one back. */
export const SentCommand = z.looseObject({
  id: name(64).describe('Never used again by this client: a command that comes again is answered as before'),
  op: z.enum(OPS),
})
export type SentCommand = z.infer<typeof SentCommand>

export const SyncRequest = z
  .strictObject({
    client_id: name(64).describe('Made by the client, once for each of its stores'),
    commands: z
      .array(SentCommand)
      .min(1)
      .max(MAX_COMMANDS)
      .describe(
        'create (temp_id, fields), update (target, fields, base: what the client knew of them, scope), tag (target, add, remove), complete (target, subtasks), reopen, skip, delete, restore (target), move (target, before or after). A temp_id may stand wherever the id of a task does',
      ),
  })
  .meta({
    id: 'SyncRequest',
    examples: [
      {
        client_id: 'phone-1',
        commands: [
          { id: '1', op: 'create', temp_id: 'new-1', fields: { title: 'Pay rent' } },
          {
            id: '2',
            op: 'update',
            target: 'new-1',
            fields: { priority: 'high' },
            base: { priority: 'medium' },
          },
        ],
      },
    ],
  })
export type SyncRequest = z.infer<typeof SyncRequest>

const CommandResult = z.object({
  id: z.string(),
  status: z
    .enum(['applied', 'conflict', 'refused'])
    .describe('conflict: applied, over what somebody else had written; refused: nothing was changed'),
  replayed: z.literal(true).optional().describe('The command had come before'),
  task: TaskView.optional(),
  moved: z.array(z.object({ task_id: z.uuid(), position: z.int(), version: z.int() })).optional(),
  conflicts: z.array(FieldConflict).optional(),
  problem: z
    .object({
      code: z.string(),
      detail: z.string(),
      errors: z.array(z.object({ path: z.string(), message: z.string() })),
    })
    .optional(),
})
export type CommandResult = z.infer<typeof CommandResult>

export const SyncResult = z
  .object({
    results: z.array(CommandResult).describe('In the order of the commands'),
    temp_ids: z.record(z.string(), z.uuid()).describe('The ids of what was created'),
    cursor: z.string().describe('What the commands have changed comes before it in the changes'),
    sequence: z.int().describe('Of the cursor, to be compared with that of others'),
  })
  .meta({ id: 'SyncResult' })
export type SyncResult = z.infer<typeof SyncResult>
