import { z } from 'zod'

const ErrorBody = z.object({
  errorCode: z.string(),
  message: z.string().min(1),
  details: z
    .array(z.object({ '@type': z.string(), reason: z.string().optional(), domain: z.string().optional() }))
    .optional(),
})

/**
 * An error answer on one line, `404 ERR_PUBSUB_NOT_FOUND [DAPR_PUBSUB_NOT_FOUND] pubsub x is not found`: status, code,
 * the reason of its ErrorInfo where there is one, message. A body of another shape stands there as it came.
 */
export async function refusalOf(response: Response): Promise<string> {
  const text = await response.text()
  const { status } = response
  const body = ErrorBody.safeParse(parsed(text))
  if (!body.success) return `${status} ${text}`.trim()
  const { errorCode, message, details } = body.data
  const info = details?.find((detail) => detail['@type'] === 'type.googleapis.com/google.rpc.ErrorInfo')
  const reason = info ? ` [${info.reason}${info.domain === 'dapr.io' ? '' : ` of ${info.domain}`}]` : ''
  return `${status} ${errorCode}${reason} ${message}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
