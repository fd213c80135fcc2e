import { Pool } from 'undici'

export interface Got {
  /** 0 when no answer came. */
  status: number
  /** Parsed JSON, else text; of what did not come, why. */
  body: unknown
  ms: number
}

export interface Ask {
  token?: string | undefined
  json?: unknown
  body?: string
  headers?: Record<string, string>
}

export interface Client {
  ask(method: string, path: string, options?: Ask): Promise<Got>
  close(): Promise<void>
}

export interface ClientOptions {
  connections: number
  /** A loopback address the connections come from. */
  from?: string
  /** An address behind a proxy that the server trusts. */
  forwardedFor?: string
  timeoutMs?: number
}

const TIMEOUT_MS = 30_000

/** Speaks with a server over so many connections of its own; whatever happens becomes an answer. */
export function createClient(url: string, options: ClientOptions): Client {
  const { connections, from, forwardedFor, timeoutMs = TIMEOUT_MS } = options
  const pool = new Pool(url, {
    connections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs },
    ...(from !== undefined && { localAddress: from }),
  })
  return {
    async ask(method, path, { token, json, body, headers } = {}) {
      const startedAt = performance.now()
      const answered = (status: number, content: unknown): Got => ({
        status,
        body: content,
        ms: performance.now() - startedAt,
      })
      try {
        const answer = await pool.request({
          method,
          path,
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...((json ?? body) !== undefined && { 'content-type': 'application/json' }),
            ...(forwardedFor !== undefined && { 'x-forwarded-for': forwardedFor }),
            ...headers,
          },
          body: json === undefined ? (body ?? null) : JSON.stringify(json),
        })
        const text = await answer.body.text()
        return answered(answer.statusCode, parsed(text))
      } catch (error) {
        return answered(0, nameOf(error))
      }
    },
    close: () => pool.destroy(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** `ECONNRESET` rather than a sentence, so that equal ones can be counted. */
export const nameOf = (error: unknown): string =>
  (error as { code?: string }).code ?? (error instanceof Error ? error.name : String(error))
