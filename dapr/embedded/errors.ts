/** Dapr's error body. Newer APIs add `details` with google.rpc error types, older ones only code and message. */
export interface ErrorBody {
  errorCode: string
  message: string
  details?: unknown[]
}

/** An answer that is an error: thrown by the building blocks, turned into a response once, by the sidecar. */
export class ApiError extends Error {
  readonly status: number
  readonly body: ErrorBody

  constructor(status: number, body: ErrorBody) {
    super(`${body.errorCode}: ${body.message}`)
    this.name = 'ApiError'
    this.status = status
    this.body = body
  }
}

/** An error of an older API: code and message only (dapr/pkg/messages). */
export function apiError(status: number, errorCode: string, message: string): ApiError {
  return new ApiError(status, { errorCode, message })
}

/** An error with google.rpc details (dapr/pkg/api/errors): an ErrorInfo, and before it what `others` holds. */
export function detailedError(
  status: number,
  errorCode: string,
  message: string,
  info: { reason: string; metadata?: Record<string, string> | null; others?: unknown[] },
): ApiError {
  const errorInfo = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: info.reason,
    domain: 'dapr.io',
    metadata: info.metadata ?? null,
  }
  return new ApiError(status, { errorCode, message, details: [...(info.others ?? []), errorInfo] })
}

export function resourceInfo(type: string, name: string, description: string): unknown {
  return {
    '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
    resource_type: type,
    resource_name: name,
    owner: '',
    description,
  }
}

export const malformedRequest = (reason: string): ApiError =>
  apiError(400, 'ERR_MALFORMED_REQUEST', `failed deserializing HTTP body: ${reason}`)

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
