import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'
import type { Clock, Ids, StartTimer } from '../app/ports.ts'

/** The one place that reads the clock of the machine. */
export const systemClock: Clock = { now: () => new Date() }

export const systemTimer: StartTimer = (work, ms) => {
  const timer = setTimeout(work, ms)
  return () => clearTimeout(timer)
}

/** The zone database of this Node.js, as `2026a`: see docs/recurrence.md. */
export const zoneDatabase = process.versions['tz'] ?? 'none'

// A call to the system's generator costs as much for 4 KiB as for one id.
const pool = Buffer.alloc(4096)
let used = pool.length

function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const taken = Buffer.from(pool.subarray(used, used + count))
  // What is given away as a secret is not kept.
  pool.fill(0, used, used + count)
  used += count
  return taken
}

let lastMs = 0
let count = 0

/** A UUID v7 that increases also within a millisecond (RFC 9562 §6.2, method 1: a counter with a random start). */
function increasingUuid(): string {
  const random = randomBytes(16)
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    count = random.readUInt32BE(6) >>> 1
  } else count += 1
  return v7({ random, msecs: lastMs, seq: count })
}

/** The one place that draws random numbers. */
export const systemIds: Ids = { uuid: increasingUuid, hex: (bytes) => randomBytes(bytes).toString('hex') }
