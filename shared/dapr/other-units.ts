import type { Clock, StartTimer } from '../app/ports.ts'
import type { ForwardedRequest, Upstreams } from '../app/web/ports.ts'
import { DomainError } from '../domain/errors.ts'
import type { DaprClient } from './client.ts'
import { DaprError } from './dapr-error.ts'
import { isPlainPath } from './invoke.ts'

/** A unit that is started anew answers within a few seconds, so a request waits for that long rather than fails. */
const PATIENCE_MS = 12_000
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000
/** For the answer's status; the answer itself may go on for as long as it likes. */
const ANSWER_WITHIN_MS = 30_000
/** After so many requests in a row that waited in vain nobody waits any more, until one is answered. */
const MAX_FAILURES_IN_A_ROW = 5

interface Options {
  clock: Clock
  startTimer: StartTimer
  patienceMs?: number
  answerWithinMs?: number
}

/**
 * Calls the units through the sidecars. Which of the two repeats what: a request that may be repeated has a length and is
 * first repeated by daprd; any other is sent in chunks, which daprd sends once whatever its resiliency policy says. Here
 * a request goes on being tried while it certainly did not arrive, or may arrive twice.
 */
export function createUpstreams(
  { invokeStream }: Pick<DaprClient, 'invokeStream'>,
  { clock, startTimer, patienceMs = PATIENCE_MS, answerWithinMs = ANSWER_WITHIN_MS }: Options,
): Upstreams {
  const failures = new Map<string, number>()

  async function forward(unit: string, request: ForwardedRequest): Promise<Response> {
    // Such a path names nothing of ours; see PLAIN_PATH for what it may be meant for.
    if (!isPlainPath(request.path))
      throw new DomainError('request.not_found', 'There is nothing at this path.')
    const isHopeless = (failures.get(unit) ?? 0) >= MAX_FAILURES_IN_A_ROW
    const giveUpAt = clock.now().getTime() + (isHopeless ? 0 : patienceMs)
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        const answer = await invokeStream(unit, { ...toInvocation(request), timeoutMs: answerWithinMs })
        failures.delete(unit)
        return answer
      } catch (error) {
        if (request.signal.aborted) return new Response(null, { status: 499 }) // nobody reads it
        if (!(error instanceof DaprError)) throw error
        const isOver = clock.now().getTime() + pauseMs > giveUpAt
        if (isOver && isTransient(error)) failures.set(unit, (failures.get(unit) ?? 0) + 1)
        if (isOver || !mayTryAgain(error, request)) throw toDomainError(unit, error)
      }
      await new Promise<void>((resolve) => startTimer(resolve, pauseMs))
    }
  }
  return { forward }
}

function toInvocation({ isRepeatable, body, ...request }: ForwardedRequest) {
  const sent = isRepeatable || isRead(request.method) ? body : inChunks(body)
  return { ...request, ...(sent !== null && { body: sent }) }
}

// fetch gives an empty stream a length, so that daprd would repeat the request; a function without body looks at none.
const inChunks = (body: ForwardedRequest['body']): ReadableStream<Uint8Array> =>
  new Blob([body && body.length > 0 ? body : ' ']).stream()

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'

const isTransient = ({ status, kind }: DaprError): boolean =>
  kind !== 'timeout' && !(status !== null && status >= 400 && status < 500)

const mayTryAgain = (error: DaprError, { isRepeatable }: ForwardedRequest): boolean =>
  isTransient(error) && (error.isUndelivered || isRepeatable)

function toDomainError(unit: string, cause: DaprError): DomainError {
  const details = { cause, retryAfterSeconds: 1 }
  if (cause.kind === 'timeout') {
    return new DomainError(
      'gateway.timeout',
      `${unit} did not answer in time; it may still process the request.`,
      details,
    )
  }
  if (cause.isUndelivered) {
    return new DomainError(
      'gateway.unreachable',
      `${unit} is unreachable; the request was not processed.`,
      details,
    )
  }
  const detail = `${unit} gave no answer; what was asked may have been done.`
  return new DomainError('gateway.no_answer', detail, details)
}
