import { z } from 'zod'
import type { Topic } from './event-definition.ts'
import { parseJson } from './parse-json.ts'

/** Where a message goes that a consumer, or the sidecar, has given up on. */
export const DEAD_LETTER_TOPIC = 'dlq-events' satisfies Topic

const MAX_REASON = 1000

export interface GivenUp {
  consumer: string
  reason: string
}

/** A CloudEvent as a dead letter: with the extension attributes `dlqconsumer` and `dlqreason`. */
export const markDeadLetter = <Event extends object>(event: Event, { consumer, reason }: GivenUp) => ({
  ...event,
  dlqconsumer: consumer,
  dlqreason: reason.slice(0, MAX_REASON),
})

export function asEvent(message: unknown, missing: { id: string; time: string }): object {
  const defaults = { specversion: '1.0', type: 'unknown', source: '/services/unknown', ...missing }
  const event = isObject(message) ? message : { data: message }
  const hasId = 'id' in event && typeof event.id === 'string' && event.id !== ''
  return { ...defaults, datacontenttype: 'application/json', ...event, ...(!hasId && { id: missing.id }) }
}

/** What is read of a letter; none of it can be relied upon, since letters are what could not be dealt with. */
const Envelope = z.object({
  id: z.string().min(1).max(200).catch(''),
  type: z.string().catch(''),
  userid: z.uuid().nullable().catch(null),
  dlqconsumer: z.string().catch(''),
  dlqreason: z.string().catch(''),
})

/** A letter that Dapr itself put there says neither who failed nor why. */
const BY_SIDECAR: GivenUp = {
  consumer: 'sidecar',
  reason: 'every attempt failed, or the sidecar could not deliver it',
}

/** Reads a dead letter, whatever it is. `contentId` takes the place of an id that it has not, or that cannot be kept. */
export function readDeadLetter(body: Buffer, contentId: string) {
  const letter = legible(body)
  const { id, type, userid, dlqconsumer, dlqreason } = Envelope.parse(isObject(letter) ? letter : {})
  const eventId = plain(id, 200)
  return {
    // An id that must be cut to be kept could become that of another letter.
    eventId: eventId !== '' && eventId === id ? id : contentId,
    consumer: plain(dlqconsumer, 100) || BY_SIDECAR.consumer,
    type: plain(type, 100) || 'unknown',
    userId: userid,
    reason: plain(dlqreason, MAX_REASON) || BY_SIDECAR.reason,
    letter,
  }
}

/** The JSON value, or the text, or what PostgreSQL cannot hold in a jsonb (NUL, half a surrogate pair) as base64. */
function legible(body: Buffer): unknown {
  const text = body.toString()
  const value = parseJson(text)
  if (value !== undefined && isStorable(value)) return value
  return value === undefined && Buffer.from(text).equals(body) && isStorable(text)
    ? text
    : { base64: body.toString('base64') }
}

function isStorable(value: unknown): boolean {
  try {
    return !/\\u(?:0000|d[89a-f])/.test(JSON.stringify(value))
  } catch {
    return false // nested too deep to be written again
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** In one line that does nothing to a terminal. */
const plain = (text: string, most: number): string =>
  text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, most)
