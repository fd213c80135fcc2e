import postgres from 'postgres'
import type { CommitResult } from '../../app/ports.ts'
import type { Limited } from '../../domain/quotas.ts'

/** SQLSTATEs that commit_change raises. */
const SQLSTATE_OUTCOMES: Record<string, CommitResult> = {
  DB001: { outcome: 'conflict' },
  DB002: { outcome: 'already_processed' },
  DB003: { outcome: 'in_flight' },
  DB004: { outcome: 'key_reused' },
  DB005: { outcome: 'conflict' },
  DB009: { outcome: 'account_deleted' },
}

export type Applied = { outcome: 'applied' } | { outcome: 'replayed'; answer: string }

export const resultOf = (result: Applied): CommitResult =>
  result.outcome === 'replayed' ? { ...result, answer: JSON.parse(result.answer) as unknown } : result

/** What a refusal of commit_change means; anything else is thrown on. */
export function refusalOf(error: unknown): CommitResult {
  if (error instanceof postgres.PostgresError && error.code === 'DB007') {
    return { outcome: 'over_limit', limited: error.message as Limited }
  }
  const outcome = error instanceof postgres.PostgresError ? SQLSTATE_OUTCOMES[error.code] : undefined
  if (outcome) return outcome
  throw error
}
