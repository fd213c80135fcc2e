import type { Transport } from './transport.ts'

export interface BindingRequest {
  readonly operation: string
  readonly data?: unknown
  readonly metadata?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export interface BindingAnswer {
  /** As the outside system sent it; empty when it sent nothing. */
  readonly data: string
  /** Names in lower case, since they travel as headers: `statuscode` of an HTTP binding. */
  readonly metadata: Readonly<Record<string, string>>
}

const METADATA = 'metadata.'

/** Output bindings. Source: Dapr Bindings API reference. */
export function createInvokeBinding({ call }: Transport) {
  return async function invokeBinding(name: string, request: BindingRequest): Promise<BindingAnswer> {
    const { timeoutMs, ...json } = request
    const answer = await call({
      operation: `binding ${name} ${request.operation}`,
      method: 'POST',
      path: ['v1.0', 'bindings', name],
      json,
      timeoutMs,
    })
    const metadata = [...answer.headers]
      .filter(([header]) => header.startsWith(METADATA))
      .map(([header, value]) => [header.slice(METADATA.length), value] as const)
    return { data: answer.body.toString(), metadata: Object.fromEntries(metadata) }
  }
}
