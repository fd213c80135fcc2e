import { z } from 'zod'
import type { EventDraft } from './draft-event.ts'
import { definitionOf } from './events.ts'
import { upcast } from './upcast.ts'

/** A CloudEvent 1.0 in structured JSON mode with Daybook's extension attributes. */
export const CloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  type: z.string().min(1),
  source: z.string().min(1),
  subject: z.string().optional(),
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().optional(),
  dataversion: z.string(),
  userid: z.uuid(),
  /** The owner's sequence number, zero-padded to 20 digits so that it sorts as text. */
  sequence: z.string().regex(/^\d{20}$/),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
  data: z.unknown(),
})
export type CloudEvent = z.infer<typeof CloudEvent>

export interface RecordedEvent extends EventDraft {
  userId: string
  sequence: number
}

const sequenceText = (sequence: number): string => String(sequence).padStart(20, '0')

/** The event as it is published and read: in the present version of its type, whenever it was written. */
export function toCloudEvent(event: RecordedEvent): CloudEvent {
  const { dataversion, data } = upcast(event) ?? event
  return {
    specversion: '1.0',
    id: event.id,
    type: event.type,
    source: event.source,
    subject: event.subject,
    time: event.time.toISOString(),
    datacontenttype: 'application/json',
    dataschema: `urn:daybook:event:${event.type}:${dataversion}`,
    dataversion,
    userid: event.userId,
    sequence: sequenceText(event.sequence),
    ...(event.trace && { traceparent: event.trace.traceparent }),
    ...(event.trace?.tracestate && { tracestate: event.trace.tracestate }),
    data,
  }
}

/** Of the compact copy on task-updates, whatever it is a copy of. */
export const UPDATE_VERSION = '1.0'

const WithTask = z.object({ task: z.object({ id: z.uuid(), version: z.int() }).optional() })

/** The compact copy of a task change that goes to `task-updates`, or null for events that are not task changes. */
export function toTaskUpdate(event: RecordedEvent): CloudEvent | null {
  if (definitionOf(event.type)?.topic !== 'task-events') return null
  const { task } = WithTask.parse(event.data)
  if (!task && event.type !== 'task.reordered') return null
  const data = {
    task_id: task?.id ?? null,
    version: task?.version ?? null,
    sequence: sequenceText(event.sequence),
    type: event.type,
  }
  const dataschema = `urn:daybook:event:task.update:${UPDATE_VERSION}`
  return { ...toCloudEvent(event), dataschema, dataversion: UPDATE_VERSION, data }
}
