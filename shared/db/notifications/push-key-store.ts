import type { PushKeyStore, VapidKeys } from '../../app/notifications/ports.ts'
import type { Sql } from '../connect.ts'

export function createPushKeyStore(sql: Sql): PushKeyStore {
  const get = async () => {
    const [row] = await sql<VapidKeys[]>`
      select public_key as "publicKey", private_key as "privateKey" from push_keys`
    return row ? { publicKey: row.publicKey, privateKey: row.privateKey } : null
  }
  return {
    get,
    async add(keys, now) {
      await sql`insert into push_keys (public_key, private_key, created_at)
        values (${keys.publicKey}, ${keys.privateKey}, ${now}) on conflict do nothing`
      return (await get()) ?? keys
    },
  }
}
