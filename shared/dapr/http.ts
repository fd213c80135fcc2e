import { Agent, install, setGlobalDispatcher } from 'undici'

/**
 * Makes undici's fetch the global one, over one connection pool per origin. Only a process's start calls it, once and
 * before the first request (and before msw listens, in tests).
 */
export function installHttp(): void {
  install()
  const options = {
    connectTimeout: 5_000,
    // Shorter than the 95 s that Daybook's servers keep an idle connection, so that the client closes first.
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 60_000,
    // daprd repeats the whole list of failed entries of a bulk publish in a response header.
    maxHeaderSize: 1024 * 1024,
  }
  const streams = new Agent(options)
  // A live stream keeps its connection for minutes, and 64 of them would leave none for anything else.
  setGlobalDispatcher(
    new Agent({ ...options, connections: 64 }).compose(
      (dispatch) => (request, handler) =>
        isStream(request.headers) ? streams.dispatch(request, handler) : dispatch(request, handler),
    ),
  )
}

/** By what the request accepts; `fetch` hands headers on as an object. */
const isStream = (headers: unknown): boolean =>
  String((headers as Record<string, unknown> | null)?.['accept']).startsWith('text/event-stream')
