import type { Transaction } from '../connect.ts'

/**
 * Another ICU, which comes with another PostgreSQL or system, may sort titles otherwise than the index of them was built: then it is
 * built again. Returns whether it was.
 */
export async function renewTitleOrder(tx: Transaction): Promise<boolean> {
  const [moved] = await tx`
    select from pg_collation where collname = 'title_order' and collnamespace = current_schema::regnamespace
      and collversion <> pg_collation_actual_version(oid)`
  if (!moved) return false
  await tx`reindex index tasks_by_title`
  await tx`alter collation title_order refresh version`
  return true
}
