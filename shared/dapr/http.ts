import { Agent, install, setGlobalDispatcher } from 'undici'

/**
 * Makes undici's fetch the global one, over one connection pool per origin. Only a process's start calls it, once and
 * before the first request (and before msw listens, in tests).
 */
export function installHttp(): void {
  install()
  const agent = new Agent({
    connections: 64,
    connectTimeout: 5_000,
    // Shorter than the 95 s that Daybook's servers keep an idle connection, so that the client closes first.
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 60_000,
    // daprd repeats the whole list of failed entries of a bulk publish in a response header.
    maxHeaderSize: 1024 * 1024,
  })
  setGlobalDispatcher(agent)
}
