import type { RecordedEvent } from '../../domain/cloud-event.ts'
import type { ChainedEntry, ChainHead } from '../../domain/audit/chain.ts'

export interface AuditTrail {
  /**
   * Appends what `decide` makes of the user's next events; those of several users go together. True when it is to be called
   * again: there may be more, or somebody else was faster.
   */
  extend(
    userId: string,
    decide: (head: ChainHead, events: readonly RecordedEvent[]) => ChainedEntry[],
  ): Promise<boolean>
  /** Users behind `after`, by id, some of whose events have no entry yet. */
  behind(after: string | null, limit: number): Promise<string[]>
}
