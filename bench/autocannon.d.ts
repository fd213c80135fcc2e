declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  export interface Request {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: string
    setupRequest?: (request: Request) => Request
  }
  export interface Options {
    url: string
    connections: number
    duration?: number
    amount?: number
    requests: Request[]
  }
  export interface Result {
    duration: number
    non2xx: number
    errors: number
  }
  export interface Instance extends EventEmitter, Promise<Result> {}
  export default function autocannon(options: Options): Instance
}
