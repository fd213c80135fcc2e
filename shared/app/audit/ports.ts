import type { RecordedEvent } from '../../domain/cloud-event.ts'
import type { ChainedEntry, ChainHead } from '../../domain/audit/chain.ts'
import type { NoteKey } from '../../domain/audit/signed-note.ts'
import type { Tree } from '../../domain/audit/merkle.ts'
import type { KeptChain } from '../../domain/audit/verify-chain.ts'

/** Which entries: all of them without a restriction. */
export interface AuditFilter {
  /** Types of events. */
  actions: readonly string[] | null
  resource: string | null
  since: Date | null
  until: Date | null
}

export interface AuditPlace {
  at: Date
  seq: number
}

export type FullEntry = ChainedEntry & { content: NonNullable<ChainedEntry['content']> }

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
  /** The newest entries before a place, as many as a page has. */
  list(
    userId: string,
    query: AuditFilter & { before: AuditPlace | null; limit: number },
  ): Promise<{ items: FullEntry[]; hasMore: boolean }>
  /** The next entries in the order of the chain, as many as a page has; content or not. */
  after(userId: string, seq: number, limit: number): Promise<ChainedEntry[]>
  /** Null: neither is there an entry, nor does a checkpoint hold one. */
  chain(userId: string): Promise<KeptChain | null>
  /** Users behind `after`, by id, who have a chain. */
  users(after: string | null, limit: number): Promise<string[]>
  /**
   * Removes entries that are older, from the beginning of each chain up to one that a checkpoint holds, so that what is left can be
   * verified. Goes through so many leaves of the tree; resolves to how many there were.
   */
  prune(olderThan: Date, limit: number): Promise<number>
}

/** A checkpoint that is not yet where it is to be found without the database. */
export interface PendingCheckpoint {
  size: number
  note: string
  signedAt: Date
}

export interface AuditTree {
  /**
   * Adds a leaf, `limit` at most, for each chain that has come further since the last checkpoint, and keeps the note that `sign` makes of the tree.
   * One at a time; resolves to how many leaves were added.
   */
  grow(
    now: Date,
    limit: number,
    sign: (before: Tree, heads: readonly ChainHead[]) => { tree: Tree; note: string },
  ): Promise<number>
  pending(): Promise<PendingCheckpoint[]>
  markAnnounced(size: number, now: Date): Promise<void>
  /** The last checkpoint's note; null before the first. */
  lastNote(): Promise<string | null>
  /** Notes in the order of their sizes, behind one. */
  notes(after: number, limit: number): Promise<{ size: number; note: string }[]>
  /** Leaves in their order, from one on. */
  leaves(from: number, limit: number): Promise<ChainHead[]>
}

export interface CheckpointKeys {
  /** Signs; the same for every process. */
  get(): Promise<NoteKey>
}

/** Where checkpoints are to be found when the database is gone or not believed. */
export interface CheckpointCopies {
  keep(checkpoint: Pick<PendingCheckpoint, 'size' | 'note'>): Promise<void>
}

export interface CheckpointKeyStore {
  get(): Promise<string | null>
  /** Keeps it where there is none; resolves to the one that counts. */
  add(key: string, now: Date): Promise<string>
}
