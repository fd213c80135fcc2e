import { z } from 'zod'
import type { Deps } from './ports.ts'
import type { DeadLetter } from './reminder-ports.ts'

/** What is read of a letter; none of it can be relied upon, since letters are what could not be dealt with. */
const Envelope = z.object({
  id: z.string().min(1).max(200).catch(''),
  type: z.string().catch(''),
  userid: z.uuid().nullable().catch(null),
  dlqconsumer: z.string().catch(''),
  dlqreason: z.string().catch(''),
})

/** A letter that Dapr itself put there says neither who failed nor why. */
const BY_SIDECAR = { consumer: 'sidecar', reason: 'every try failed, or the sidecar could not deliver it' }

type Contents = Pick<DeadLetter, 'eventId' | 'consumer' | 'type' | 'userId' | 'reason' | 'letter'>

/** Keeps what came to the dead letters, whatever it is; twice delivered is once kept. */
export async function keepDeadLetter(
  message: { body: Buffer; contentId: string },
  deps: Pick<Deps, 'deadLetters' | 'clock' | 'ids' | 'log'>,
): Promise<void> {
  const contents = readLetter(message)
  await deps.deadLetters.keep({ id: deps.ids.uuid(), receivedAt: deps.clock.now(), ...contents })
  const { eventId, consumer, type } = contents
  deps.log.warn({ event_id: eventId, consumer, type }, 'dead letter kept; see npm run dlq')
}

function readLetter({ body, contentId }: { body: Buffer; contentId: string }): Contents {
  const letter = legible(body)
  const { id, type, userid, dlqconsumer, dlqreason } = Envelope.parse(isObject(letter) ? letter : {})
  const eventId = plain(id, 200)
  return {
    // An id that must be cut to be kept could become that of another letter.
    eventId: eventId !== '' && eventId === id ? id : contentId,
    consumer: plain(dlqconsumer, 100) || BY_SIDECAR.consumer,
    type: plain(type, 100) || 'unknown',
    userId: userid,
    reason: plain(dlqreason, 1000) || BY_SIDECAR.reason,
    letter,
  }
}

/** The JSON value, or the text, or what PostgreSQL cannot hold in a jsonb (NUL, half a surrogate pair) as base64. */
function legible(body: Buffer): unknown {
  const text = body.toString()
  const value = parse(text)
  if (value !== undefined && isStorable(value)) return value
  return value === undefined && Buffer.from(text).equals(body) && isStorable(text)
    ? text
    : { base64: body.toString('base64') }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // which no JSON text stands for
  }
}

function isStorable(value: unknown): boolean {
  try {
    return !/\\u(?:0000|d[89a-f])/.test(JSON.stringify(value))
  } catch {
    return false // nested too deep to be written again
  }
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** In one line that does nothing to a terminal. */
const plain = (text: string, most: number): string =>
  text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, most)
