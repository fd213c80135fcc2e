import { http, HttpResponse, type JsonBodyType } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { installHttp } from '../../shared/dapr/http.ts'

const BASE_URL = 'http://127.0.0.1:3500'

export interface SeenRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  readonly headers: Headers
  readonly text: string
  json(): unknown
}

/**
 * A sidecar made of msw for the tests of one file, and a client of it. A request without an answer fails the test.
 * undici comes first: msw sees only the fetch that is global when it begins to listen.
 */
export function mockSidecar() {
  installHttp()
  const server = setupServer()
  beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
  afterEach(() => server.resetHandlers())
  afterAll(() => server.close())

  /** Answers every request from now on, and returns the list that the requests go to. */
  function answerWith(answer: () => Response | Promise<Response>): SeenRequest[] {
    const seen: SeenRequest[] = []
    server.use(
      http.all(`${BASE_URL}/*`, async ({ request }) => {
        const { method, url, headers } = request
        const text = await request.text()
        seen.push({ method, target: url.slice(BASE_URL.length), headers, text, json: () => JSON.parse(text) })
        return answer()
      }),
    )
    return seen
  }

  const dapr = createDaprClient({
    baseUrl: BASE_URL,
    token: 'sidecar-token',
    fetch: (url, init) => fetch(url, init),
    timeoutMs: 2_000,
  })
  return { dapr, answerWith }
}

export const noContent = () => new HttpResponse(null, { status: 204 })

export const json = (
  body: JsonBodyType,
  init: { status?: number; headers?: Record<string, string> } = {},
) => {
  return () => HttpResponse.json(body, init)
}

/** An error as daprd words it. */
export const daprFailure = (status: number, errorCode: string, message: string) =>
  json({ errorCode, message }, { status })
