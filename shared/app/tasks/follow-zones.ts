import type { MadeBy } from '../../domain/actor.ts'
import type { Decision } from '../../domain/decision.ts'
import {
  decideSeriesAgain,
  decideTaskAgain,
  type WalledSeries,
  type WalledTask,
} from '../../domain/tasks/zone-change.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import type { Deps } from '../ports.ts'
import type { Walled } from './ports.ts'

type Following = Pick<Deps, 'zones' | 'changes' | 'clock' | 'ids' | 'log' | 'publishing' | 'settings'>

const BATCH = 200
/** What others write meanwhile is looked at again, so often within one call. */
const PASSES = 5

interface Tally {
  madeBy: MadeBy
  moved: number
  /** Somebody else changed it at the same time. */
  missed: number
}

/**
 * Derives instants again from what they mean on the wall: all of them when this process has a newer zone database than the
 * rows were derived by, and those of a user who has moved. What is right already is left alone, so that it can begin
 * again after a crash at any moment, and nothing moves twice. Resolves to how many tasks and series moved.
 */
export async function followZones(deps: Following, madeBy: MadeBy): Promise<number> {
  const moved = await followZoneDatabase(deps, madeBy)
  if (moved > 0) deps.publishing.wake()
  return moved + (await followUsers(deps, madeBy))
}

/** The part of it that a newer zone database asks for. */
export async function followZoneDatabase(deps: Following, madeBy: MadeBy): Promise<number> {
  const { zones, log, settings } = deps
  const own = settings.zoneDatabase
  const recorded = await zones.version()
  if (recorded === own) return 0
  if (recorded === null) {
    await zones.record(own)
    return 0
  }
  if (recorded > own) {
    // Two that disagree would move everything to and fro.
    log.warn(
      { own, recorded },
      'kept instants as they are: the zone database of this process is older than theirs',
    )
    return 0
  }
  const moved = await zones.alone(async () => {
    if ((await zones.version()) !== recorded) return 0
    const total: Tally = { moved: 0, missed: 0, madeBy }
    for (let pass = 1; pass <= PASSES; pass += 1) {
      total.missed = 0
      await allOf(deps, total, (after) => zones.activeSeries(after, BATCH), decideSeriesAgain)
      await allOf(deps, total, (after) => zones.openTasks(after, BATCH), decideTaskAgain)
      if (total.missed === 0) break
    }
    if (total.missed === 0) await zones.record(own)
    if (total.moved > 0) {
      log.info(
        { moved: total.moved, from: recorded, to: own },
        'derived instants again by a newer zone database',
      )
    }
    return total.moved
  })
  return moved ?? 0
}

/** Takes what floats to where its user is now. */
export async function followUsers(deps: Following, madeBy: MadeBy): Promise<number> {
  const { zones, log, publishing } = deps
  const total: Tally = { moved: 0, missed: 0, madeBy }
  for (;;) {
    const before = total.moved
    for (const row of await zones.floatingSeries(BATCH)) await derive(deps, total, row, decideSeriesAgain)
    for (const row of await zones.floatingTasks(BATCH)) await derive(deps, total, row, decideTaskAgain)
    if (total.moved === before) break
  }
  if (total.moved > 0) {
    log.info({ moved: total.moved }, 'moved floating tasks to the zones of their users')
    publishing.wake()
  }
  return total.moved
}

type Decide<Row> = (
  row: Row,
  context: { now: Date; newId: () => string; timeZone: string },
) => Decision | null

async function allOf<Row extends WalledTask | WalledSeries>(
  deps: Following,
  total: Tally,
  page: (after: string | null) => Promise<Walled<Row>[]>,
  decide: Decide<Row>,
): Promise<void> {
  let after: string | null = null
  do {
    const rows: Walled<Row>[] = await page(after)
    for (const row of rows) await derive(deps, total, row, decide)
    await deps.zones.sortAgain(rows.flatMap(({ sorted }) => sorted ?? []))
    after = rows.length < BATCH ? null : rows.at(-1)!.id
  } while (after)
}

/** One row as everything that belongs to it, in a transaction of its own. */
async function derive<Row>(
  deps: Following,
  total: Tally,
  row: Walled<Row>,
  decide: Decide<Row>,
): Promise<void> {
  const now = deps.clock.now()
  const decision = decide(row, { now, newId: () => deps.ids.uuid(), timeZone: row.zone })
  if (!decision) return
  const origin = systemOrigin('zones', { userId: row.userId, now, madeBy: total.madeBy })
  const { outcome } = await deps.changes.commit(toChange(deps, origin, decision))
  total[outcome === 'applied' ? 'moved' : 'missed'] += 1
}
