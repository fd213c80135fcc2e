import type { Claim } from '../app/ports.ts'
import type { Sql, SqlFragment } from './connect.ts'

/** A lease that ends so much later than a new one would is of a clock that has been set back since. */
const CLOCK_TOLERANCE_MS = 60_000

/** Whether nobody else holds the row whose lease is in this column; one's own (`renews`) does not stand in the way. */
export function isFree(sql: Sql, lease: SqlFragment, { now, leaseUntil, renews }: Claim): SqlFragment {
  const impossible = new Date(leaseUntil.getTime() + CLOCK_TOLERANCE_MS)
  const isOwn = renews ? sql`or ${lease} = ${renews}` : sql``
  return sql`(${lease} is null or ${lease} <= ${now} or ${lease} > ${impossible} ${isOwn})`
}
