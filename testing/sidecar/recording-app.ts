/** A call that the sidecar made to the app. */
export interface ReceivedCall {
  readonly method: string
  readonly path: string
  /** With its question mark, or empty. */
  readonly search: string
  readonly headers: Headers
  readonly body: string
  readonly at: Date
}

type Answer = Response | undefined | Promise<Response | undefined>

/** An app that notes every call it gets. Unless a handler says otherwise it answers 200 with an empty body. */
export interface RecordingApp {
  subscriptions: unknown[]
  fetch(request: Request): Promise<Response>
  /** What to answer to a path; undefined stands for 200. */
  on(path: string, handler: (call: ReceivedCall, attempt: number) => Answer): void
  calls(path: string): ReceivedCall[]
  /** The bodies of the calls to a path, as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into them freely
  events(path: string): any[]
}

export function createRecordingApp(
  clock: { now(): Date } = { now: () => new Date(Date.now()) },
): RecordingApp {
  const calls: ReceivedCall[] = []
  const handlers = new Map<string, (call: ReceivedCall, attempt: number) => Answer>()
  const app: RecordingApp = {
    subscriptions: [],
    async fetch(request) {
      const { pathname: path, search } = new URL(request.url)
      if (path === '/dapr/subscribe') return Response.json(app.subscriptions)
      if (path === '/dapr/config') return new Response(null, { status: 404 })
      const call = {
        method: request.method,
        path,
        search,
        headers: request.headers,
        body: await request.text(),
        at: clock.now(),
      }
      calls.push(call)
      return (await handlers.get(path)?.(call, app.calls(path).length)) ?? new Response(null, { status: 200 })
    },
    on(path, handler) {
      handlers.set(path, handler)
    },
    calls: (path) => calls.filter((call) => call.path === path),
    events: (path) => app.calls(path).map(({ body }) => JSON.parse(body) as unknown),
  }
  return app
}
