interface AppCall {
  readonly method: 'GET' | 'POST' | 'OPTIONS'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** The way from the sidecar to its app. Rejects when the app cannot be reached. */
export interface AppChannel {
  call(call: AppCall): Promise<Response>
}

/** Sends the `dapr-api-token` that the app expects (APP_API_TOKEN) with every call. */
export function createAppChannel(
  app: (request: Request) => Promise<Response> | Response,
  appToken: string | undefined,
): AppChannel {
  return {
    async call({ method, path, headers, body }) {
      const request = new Request(`http://app/${path.replace(/^\/+/, '')}`, {
        method,
        headers: { ...headers, ...(appToken !== undefined && { 'dapr-api-token': appToken }) },
        ...(body !== undefined && { body: body as NonNullable<RequestInit['body']> }),
      })
      return await app(request)
    },
  }
}

// Kept for answers that matter only by their status.
export async function discardBody(response: Response): Promise<void> {
  await response.body?.cancel()
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const NOT_FORWARDED = new Set([
  'content-type',
  'content-length',
  'traceparent',
  'tracestate',
  'destination-app-id',
])

/** Broker metadata as request headers: what is no header name is left out, text beyond ASCII goes as UTF-8 bytes. */
export function metadataHeaders(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(metadata)) {
    if (!TOKEN.test(name) || NOT_FORWARDED.has(name.toLowerCase())) continue
    headers[name] = Buffer.from(value.replace(/[\r\n\0]/g, ' ')).toString('latin1')
  }
  return headers
}
