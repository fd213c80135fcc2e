/** A request as another unit is to get it. */
export interface ForwardedRequest {
  method: string
  /** Path and query. */
  path: string
  headers: Headers
  body: Uint8Array<ArrayBuffer> | null
  /** Whether doing it twice does no more than doing it once. */
  isRepeatable: boolean
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal
}

/** The HTTP functions that run elsewhere, as units of their own (shared/kit/units.ts). */
export interface Upstreams {
  /**
   * The unit's own answer as it comes, whatever its status. Rejects with a DomainError: `gateway.unreachable` when the
   * unit certainly did not get the request, `gateway.no_answer` and `gateway.timeout` when it may have.
   */
  forward(unit: string, request: ForwardedRequest): Promise<Response>
}
