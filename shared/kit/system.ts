import { randomBytes } from 'node:crypto'
import { v7 } from 'uuid'
import type { Clock, Ids } from '../app/ports.ts'

/** The one place that reads the clock of the machine. */
export const systemClock: Clock = { now: () => new Date() }

/** The one place that draws random numbers. `v7` of the uuid package increases also within a millisecond. */
export const systemIds: Ids = { uuid: () => v7(), hex: (bytes) => randomBytes(bytes).toString('hex') }
