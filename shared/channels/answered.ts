import type { SendResult } from '../app/notifications/ports.ts'
import { HOUR_MS } from '../domain/durations.ts'

/** Statuses that are about the message: malformed, gone, too long, not to be processed. */
const ABOUT_THE_MESSAGE = [400, 410, 413, 422]
const MAX_WAIT_MS = HOUR_MS

/** Thrown where a message cannot be sent; its own message may stand in the ledger. */
export class ChannelError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ChannelError'
  }
}

export interface HttpOutcome {
  status: number
  /** The Retry-After header (RFC 9110 §10.2.3): seconds, or a date. */
  retryAfter: string | undefined
}

/**
 * What an answer of an outside service says of one message. `refused` is about the message; what is about us or the
 * service (a wrong path, a key it does not take, too many requests, an error of its own) may be better next time.
 */
export function resultOf(service: string, answer: HttpOutcome, now: Date): SendResult {
  const { status } = answer
  if (status >= 200 && status < 300) return { outcome: 'delivered' }
  const reason = `${service} answered ${status}`
  if (ABOUT_THE_MESSAGE.includes(status)) return { outcome: 'refused', reason }
  const afterMs = waitOf(answer.retryAfter, now)
  return { outcome: 'failed', reason, ...(afterMs !== null && { afterMs }) }
}

/** At most an hour, whatever they say. */
function waitOf(retryAfter: string | undefined, now: Date): number | null {
  if (retryAfter === undefined) return null
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now.getTime()
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_WAIT_MS)
}
