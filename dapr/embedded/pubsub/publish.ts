import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { isBinary, isCloudEvent, isJson, mediaType, passThrough, toEnvelope } from './envelope.ts'
import { detailedError, messageOf, resourceInfo, type ApiError } from '../errors.ts'
import { findComponent, type SidecarContext } from '../context.ts'
import { queryMetadata, readBody } from '../requests.ts'

const BulkEntries = z.array(
  z.object({
    entryId: z.string().default(''),
    event: z.unknown().optional(),
    contentType: z.string().default(''),
    metadata: z.record(z.string(), z.string()).nullish(),
  }),
)

type Metadata = Record<string, string>

/** `POST /publish/{pubsub}/{topic}` and `POST /publish/bulk/{pubsub}/{topic}`: 204 when PostgreSQL has the messages. */
export function publishRoutes(context: SidecarContext): Hono {
  const app = new Hono()
  for (const version of ['v1.0', 'v1.0-alpha1']) {
    app.on(
      ['POST', 'PUT'],
      `/${version}/publish/bulk/:pubsub/:topic{.+}`,
      async (c) => await publishMany(context, c),
    )
  }
  app.on(['POST', 'PUT'], '/v1.0/publish/:pubsub/:topic{.+}', async (c) => await publishOne(context, c))
  return app
}

async function publishOne(context: SidecarContext, c: Context): Promise<Response> {
  const pubsub = c.req.param('pubsub')!
  const topic = c.req.param('topic')!
  const metadata = queryMetadata(c.req.raw)
  const errors = pubsubErrors(context, pubsub)
  if (!findComponent(context, pubsub, 'pubsub.')) throw errors.notFound(metadata)
  const body = await readBody(c.req.raw).catch((error: unknown) => {
    throw errors.notPublished(topic, messageOf(error))
  })
  const message = toMessageBody(context, c, body, {
    pubsub,
    topic,
    metadata,
    contentType: c.req.header('content-type') ?? '',
  })
  await append(context, { pubsub, topic }, [{ ...message, headers: metadata }])
  return c.body(null, 204)
}

async function publishMany(context: SidecarContext, c: Context): Promise<Response> {
  const pubsub = c.req.param('pubsub')!
  const topic = c.req.param('topic')!
  const metadata = queryMetadata(c.req.raw)
  const errors = pubsubErrors(context, pubsub)
  if (!findComponent(context, pubsub, 'pubsub.')) throw errors.notFound(metadata)

  let entries: z.infer<typeof BulkEntries>
  try {
    entries = BulkEntries.parse(JSON.parse(new TextDecoder().decode(await readBody(c.req.raw))))
  } catch (error) {
    throw errors.badEntries(
      `error when unmarshaling the request for topic ${topic} pubsub ${pubsub}: ${messageOf(error)}`,
      'UNMARSHAL_EVENTS',
    )
  }
  const seen = new Set<string>()
  const asRaw = isRaw(context, pubsub, metadata)
  const messages = entries.map((entry) => {
    const isEvent = !asRaw && isCloudEvent(entry.contentType)
    const body = isEvent ? { event: entry.event } : entryBytes(entry.event, entry.contentType)
    if (body === null) {
      const reason = 'error: mismatch between contentType and event'
      throw errors.badEntries(
        `error when marshalling cloud event envelope for topic ${topic} pubsub ${pubsub}: ${reason}`,
        'MARSHAL_ENVELOPE',
        reason,
      )
    }
    if (entry.entryId === '' || seen.has(entry.entryId)) {
      const reason = 'entryId is duplicated or not present for entry'
      throw errors.badEntries(
        `error marshaling events to bytes for topic ${topic} pubsub ${pubsub}. error: ${reason}`,
        'MARSHAL_EVENTS',
        reason,
      )
    }
    seen.add(entry.entryId)
    // The request's metadata reaches only entries that have some of their own.
    const own = entry.metadata ? { ...metadata, ...entry.metadata } : {}
    const headers = { ...own, ...metadata }
    const options = {
      pubsub,
      topic,
      metadata: own,
      contentType: entry.contentType,
      isRaw: asRaw,
    }
    return { entryId: entry.entryId, headers, ...toMessageBody(context, c, body, options) }
  })

  // Those of a key in one statement, so that none is kept behind one that is not.
  const { bad = [], good = [] } = Object.groupBy(messages, ({ headers }) =>
    hasNul(headers) ? 'bad' : 'good',
  )
  const failures = await Promise.all(
    [good, bad].map(async (some) => {
      const error = await append(context, { pubsub, topic }, some).catch(messageOf)
      return error === undefined ? [] : some.map(({ entryId }) => ({ entryId, error }))
    }),
  )
  const failedEntries = failures.flat()
  if (failedEntries.length === 0) return c.body(null, 204)
  return c.json({ failedEntries, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }, 500)
}

/** A CloudEvent that came within JSON. */
interface ParsedEvent {
  readonly event: unknown
}

interface MessageBody {
  body: string
  isRaw: boolean
}

function toMessageBody(
  context: SidecarContext,
  c: Context,
  body: Uint8Array | ParsedEvent,
  options: { pubsub: string; topic: string; metadata: Metadata; contentType: string; isRaw?: boolean },
): MessageBody {
  const about = {
    ...options,
    appId: context.appId,
    traceparent: c.req.header('traceparent') ?? '',
    tracestate: c.req.header('tracestate') ?? '',
    now: context.clock.now(),
    id: context.newId(),
  }
  let envelope: string | null
  if ('event' in body) envelope = passThrough(body.event, about)
  else if (options.isRaw ?? isRaw(context, options.pubsub, options.metadata)) {
    return { body: Buffer.from(body).toString('base64'), isRaw: true }
  } else envelope = toEnvelope(body, about)
  if (envelope === null) throw pubsubErrors(context, options.pubsub).noCloudEvent()
  return { body: envelope, isRaw: false }
}

const keyOf = (headers: Metadata): string | null => headers.partitionKey ?? headers.__key ?? null
const hasNul = (headers: Metadata): boolean => keyOf(headers)?.includes('\0') ?? false

async function append(
  context: SidecarContext,
  { pubsub, topic: name }: { pubsub: string; topic: string },
  messages: readonly (MessageBody & { headers: Metadata })[],
): Promise<void> {
  const errors = pubsubErrors(context, pubsub)
  if (messages.length === 0) return
  if (messages.some(({ headers }) => hasNul(headers)))
    throw errors.notPublished(name, 'the partition key contains a NUL')
  const keyed = messages.map(({ body, isRaw, headers }) => ({ key: keyOf(headers), headers, body, isRaw }))
  try {
    const topic = await context.broker.topic(pubsub, name)
    await context.broker.append(topic, keyed, context.clock.now())
  } catch (error) {
    context.logger.error({ topic: name, err: error }, 'failed to publish')
    throw errors.notPublished(name, messageOf(error))
  }
}

function isRaw(context: SidecarContext, pubsub: string, metadata: Metadata): boolean {
  const value = metadata.rawPayload ?? ''
  if (value === '' || /^(?:0|f|false)$/i.test(value)) return false
  if (/^(?:1|t|true)$/i.test(value)) return true
  throw pubsubErrors(context, pubsub).badMetadata(
    `rawPayload value must be a valid boolean: actual is '${value}'`,
    metadata,
  )
}

/** The bytes of a bulk entry, or null when its content type does not fit it. */
function entryBytes(event: unknown, contentType: string): Uint8Array | null {
  const bytes = (text: string) => new TextEncoder().encode(text)
  if (isBinary(contentType)) return typeof event === 'string' ? Buffer.from(event, 'base64') : null
  if (/^text\//i.test(contentType) || mediaType(contentType) === 'application/xml') {
    return typeof event === 'string' ? bytes(event) : null
  }
  const isStructured = isJson(contentType) || mediaType(contentType) === 'application/cloudevents+json'
  return isStructured ? bytes(JSON.stringify(event ?? null)) : null
}

// Codes, statuses and texts of dapr/pkg/api/errors/pubsub.go.
function pubsubErrors({ appId }: SidecarContext, pubsub: string) {
  const about = (message: string) => [resourceInfo('pubsub', pubsub, message)]
  return {
    notFound(metadata: Metadata): ApiError {
      return detailedError(404, 'ERR_PUBSUB_NOT_FOUND', `pubsub ${pubsub} is not found`, {
        reason: 'DAPR_PUBSUB_NOT_FOUND',
        metadata,
      })
    },
    notPublished(topic: string, error: string): ApiError {
      const message = `error when publishing to topic ${topic} in pubsub ${pubsub}: ${error}`
      return detailedError(500, 'ERR_PUBSUB_PUBLISH_MESSAGE', message, {
        reason: 'DAPR_PUBSUB_PUBLISH_MESSAGE',
        metadata: { topic, error },
        others: about(message),
      })
    },
    noCloudEvent(): ApiError {
      const message = 'cannot create cloudevent'
      return detailedError(500, 'ERR_PUBSUB_CLOUD_EVENTS_SER', message, {
        reason: 'DAPR_PUBSUB_CLOUD_EVENT_CREATION',
        metadata: { appID: appId, error: 'the event is not a JSON object' },
        others: about(message),
      })
    },
    badMetadata(error: string, metadata: Metadata): ApiError {
      const message = `failed deserializing metadata. Error: ${error}`
      return detailedError(400, 'ERR_PUBSUB_REQUEST_METADATA', message, {
        reason: 'DAPR_PUBSUB_METADATA_DESERIALIZATION',
        metadata,
        others: about(message),
      })
    },
    badEntries(message: string, kind: string, error?: string): ApiError {
      return detailedError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
        reason: `DAPR_PUBSUB_${kind}`,
        metadata: { appID: appId, ...(error !== undefined && { error }) },
        others: about(message),
      })
    },
  }
}
