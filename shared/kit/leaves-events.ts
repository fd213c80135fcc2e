import type { DaybookFunction } from './mount-functions.ts'

/**
 * Whether a function needs the broker: it says so, or it consumes (what it cannot process goes to the dead letters), or it
 * lets people in (who is new leaves an event).
 */
export const leavesEvents = (fn: DaybookFunction): boolean =>
  fn.uses.includes('events') || fn.kind === 'topic' || (fn.kind === 'http' && fn.spec.auth !== 'none')
