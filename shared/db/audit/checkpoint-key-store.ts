import type { CheckpointKeyStore } from '../../app/audit/ports.ts'
import type { Sql } from '../connect.ts'

export function createCheckpointKeyStore(sql: Sql): CheckpointKeyStore {
  const get = async () => {
    const [row] = await sql<{ key: string }[]>`select key from audit_keys`
    return row?.key ?? null
  }
  return {
    get,
    async add(key, now) {
      await sql`insert into audit_keys (key, created_at) values (${key}, ${now}) on conflict do nothing`
      return (await get()) ?? key
    },
  }
}
