import { z } from 'zod'
import { CloudEvent, UPDATE_VERSION } from '../domain/cloud-event.ts'
import { CATALOGUE } from '../domain/events.ts'
import { jsonSchema, type JsonSchema } from './openapi-schemas.ts'

/** Of these there is a compact copy; changes of a series reach clients as changes of its tasks. */
const taskChanges = CATALOGUE.filter(({ type }) => type.startsWith('task.'))

/** `data` of the compact copy on task-updates, see toTaskUpdate. */
const TaskUpdate = z.object({
  task_id: z.uuid().nullable().describe('Null when the change reaches many tasks (task.reordered)'),
  version: z.int().nullable(),
  sequence: z.string().regex(/^\d{20}$/),
  type: z.enum(taskChanges.map((change) => change.type)),
})

/**
 * The JSON Schema (2020-12) of every event Daybook publishes, envelope included, by event type. `task.update` is the
 * compact form that goes to task-updates. Unknown fields are allowed, so that a consumer survives additions.
 */
export function eventSchemas(): Record<string, JsonSchema> {
  const schemas = CATALOGUE.map(({ type, topic, source, version, data }) =>
    eventSchema({ name: type, topic, type: z.literal(type), source: z.literal(source), version, data }),
  )
  const update = eventSchema({
    name: 'task.update',
    topic: 'task-updates',
    type: TaskUpdate.shape.type,
    source: z.enum([...new Set(taskChanges.map((change) => change.source))]),
    version: UPDATE_VERSION,
    data: TaskUpdate,
  })
  return Object.fromEntries([...schemas, update])
}

interface EventShape {
  name: string
  topic: string
  type: z.ZodType
  source: z.ZodType
  version: string
  data: z.ZodType
}

function eventSchema({ name, topic, type, source, version, data }: EventShape): [string, JsonSchema] {
  const id = `urn:daybook:event:${name}:${version}`
  const event = CloudEvent.extend({
    type,
    source,
    subject: z.string(),
    dataschema: z.literal(id),
    dataversion: z.literal(version),
    data,
  })
  const { $schema, ...schema } = jsonSchema(event, 'input')
  return [
    name,
    {
      $comment: 'Generated from shared/domain/events.ts by npm run render; not to be edited.',
      $schema,
      $id: id,
      title: name,
      description: `CloudEvent published on the topic ${topic}`,
      ...schema,
    },
  ]
}
