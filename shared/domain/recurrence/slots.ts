import { DAY_MS } from '../durations.ts'
import { civilDate } from './wall-clock.ts'

/**
 * Where an occurrence lies in its series: an instant or, in an all-day series, a date. A date is held as midnight UTC,
 * whatever the zone; it stands for no instant and is never compared with one.
 */
export type Slot = Date

export interface SlotKind {
  isAllDay: boolean
  timeZone: string
}

export const dateSlot = (date: string): Slot => new Date(`${date}T00:00:00.000Z`)

export const slotDate = (slot: Slot): string => slot.toISOString().slice(0, 10)

/** The slot in which a moment lies: itself, or the date that it is in the zone. */
export const slotAt = (instant: Date, { isAllDay, timeZone }: SlotKind): Slot =>
  isAllDay ? dateSlot(civilDate(instant, timeZone)) : instant

/** The last slot that is over at a moment. A date is over when its day has ended, a time as soon as it is reached. */
export const passedAt = (instant: Date, kind: SlotKind): Slot =>
  kind.isAllDay ? new Date(slotAt(instant, kind).getTime() - DAY_MS) : instant

export const slotText = (slot: Slot, { isAllDay }: Pick<SlotKind, 'isAllDay'>): string =>
  isAllDay ? slotDate(slot) : slot.toISOString()

export const slotDay = (slot: Slot, { isAllDay, timeZone }: SlotKind): string =>
  isAllDay ? slotDate(slot) : civilDate(slot, timeZone)
