import { fragment, type Fragment } from './fragment.ts'

/** About so many bytes of JSON are in one answer; a single item that takes more (only an event can) comes alone. */
export const MAX_PAGE_BYTES = 1024 * 1024

/** The first rows of those read for a page: at most `limit`, and no more than MAX_PAGE_BYTES. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  bytesOf: (row: Row) => number,
): { page: Row[]; hasMore: boolean; endsByBytes: boolean } {
  const most = Math.min(rows.length, limit)
  let count = 0
  for (let bytes = 0; count < most; count += 1) {
    bytes += bytesOf(rows[count]!)
    if (bytes > MAX_PAGE_BYTES && count > 0) break
  }
  return { page: rows.slice(0, count), hasMore: rows.length > count, endsByBytes: count < most }
}

/**
 * The rows of a page in their order, none after the first that goes beyond MAX_PAGE_BYTES. `leastBytes`: what a row takes at
 * least, from what PostgreSQL knows without a look at the texts.
 */
export const untilFull = (page: Fragment, leastBytes: Fragment): Fragment => fragment`
  select * from (select *, sum(${leastBytes}) over (rows unbounded preceding) as bytes_so_far from (${page}) rows_of_page) page
  where bytes_so_far - ${leastBytes} <= ${MAX_PAGE_BYTES}`

/** Short texts are not worth a look; no character takes more than six bytes. */
const SHORT = 200

/** What texts take in JSON, or somewhat more. */
export function textBytes(...texts: string[]): number {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  return length <= SHORT ? 6 * length : Buffer.byteLength(JSON.stringify(texts))
}
