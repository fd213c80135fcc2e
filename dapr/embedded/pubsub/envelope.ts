/** A CloudEvent as Dapr keeps it: a JSON object. */
export type Envelope = Record<string, unknown>

export interface EnvelopeContext {
  readonly appId: string
  readonly pubsub: string
  readonly topic: string
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
  readonly traceparent: string
  readonly tracestate: string
  readonly now: Date
  readonly id: string
}

/**
 * The CloudEvent as JSON text for a payload, by the rules of Dapr's `publish` (components-contrib pubsub/envelope.go):
 * a `application/cloudevents+json` body is kept, anything else is wrapped. Null when the body is not a CloudEvent
 * though its type says so.
 */
export function toEnvelope(body: Uint8Array, context: EnvelopeContext): string | null {
  const text = new TextDecoder().decode(body)
  if (isCloudEvent(context.contentType)) return passThrough(parsed(text), context)

  const override = (name: string) => {
    const wanted = `cloudevent.${name}`
    return Object.entries(context.metadata).find(([key]) => key.toLowerCase() === wanted)?.[1] || undefined
  }
  const traceparent = override('traceparent') ?? override('traceid') ?? context.traceparent
  const subject = override('subject')
  const fields: Envelope = {
    id: override('id') ?? context.id,
    specversion: '1.0',
    datacontenttype: context.contentType || 'text/plain',
    source: override('source') ?? context.appId,
    type: override('type') ?? 'com.dapr.event.sent',
    topic: context.topic,
    pubsubname: context.pubsub,
    traceid: traceparent,
    traceparent,
    tracestate: override('tracestate') ?? context.tracestate,
    time: wholeSeconds(context.now),
    ...(subject !== undefined && { subject }),
    ...expiration(context),
  }
  if (isBinary(context.contentType))
    return JSON.stringify({ ...fields, data_base64: Buffer.from(body).toString('base64') })
  // JSON goes in as it is: parsing would change large numbers.
  const data = isJson(context.contentType) && isJsonText(text) ? text : JSON.stringify(text)
  return `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // which is no CloudEvent
  }
}

/** The CloudEvent as Dapr publishes it, with what it lacks; null when it is none. */
export function passThrough(event: unknown, context: EnvelopeContext): string | null {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return null
  const given = event as Envelope
  return JSON.stringify({
    ...given,
    time: 'time' in given ? given.time : wholeSeconds(context.now),
    ...(!('traceid' in given) && { traceid: context.traceparent, traceparent: context.traceparent }),
    ...(!('tracestate' in given) && { tracestate: context.tracestate }),
    topic: context.topic,
    pubsubname: context.pubsub,
    source: given.source ?? 'Dapr',
    type: given.type ?? 'com.dapr.event.sent',
    specversion: given.specversion ?? '1.0',
    ...expiration(context),
  })
}

/** The CloudEvent that a subscription with `rawPayload` gets for a raw message: it has a new id each time. */
export function rawEnvelope(
  base64: string,
  context: { pubsub: string; topic: string; id: string },
): Envelope {
  return {
    id: context.id,
    specversion: '1.0',
    datacontenttype: 'application/octet-stream',
    source: 'Dapr',
    type: 'com.dapr.event.sent',
    topic: context.topic,
    pubsubname: context.pubsub,
    data_base64: base64,
  }
}

export function hasExpired(event: Envelope, now: Date): boolean {
  const at = typeof event.expiration === 'string' ? Date.parse(event.expiration) : NaN
  return at < now.getTime()
}

export const mediaType = (contentType: string): string => contentType.split(';')[0]!.trim().toLowerCase()
// Dapr takes this one type for JSON: a body of `application/problem+json` becomes a string.
export const isJson = (contentType: string): boolean => mediaType(contentType) === 'application/json'
export const isCloudEvent = (contentType: string): boolean =>
  mediaType(contentType) === 'application/cloudevents+json'
export const isBinary = (contentType: string): boolean =>
  mediaType(contentType) === 'application/octet-stream'

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// Kafka has no time to live of its own, so Dapr writes the end into the event and drops late ones on delivery.
function expiration({ metadata, now }: EnvelopeContext): { expiration?: string } {
  const seconds = Number(metadata.ttlInSeconds)
  return seconds > 0 ? { expiration: wholeSeconds(new Date(now.getTime() + seconds * 1000)) } : {}
}

const wholeSeconds = (instant: Date): string => `${instant.toISOString().slice(0, 19)}Z`
