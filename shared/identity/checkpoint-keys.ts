import type { CheckpointKeys, CheckpointKeyStore } from '../app/audit/ports.ts'
import type { Clock, Ids } from '../app/ports.ts'
import { readSigningKey, signingKeyText, type NoteKey } from '../domain/audit/signed-note.ts'

const SECRET_STORE = 'secretstore'
const SECRET = 'auditkey'

interface CheckpointKeysOptions {
  /** `secretstore`: the secret auditkey. `database`: made once, by whoever comes first. */
  from: 'database' | 'secretstore'
  /** Of the log, for a key that is made here. */
  origin: string
  store: CheckpointKeyStore
  secrets: { get(store: string, name: string): Promise<Record<string, string>> }
  clock: Clock
  ids: Ids
}

/** Who may write the database must not be able to sign, so the key belongs into a secret store; the database is for trying out. */
export function createCheckpointKeys({
  from,
  origin,
  store,
  secrets,
  clock,
  ids,
}: CheckpointKeysOptions): CheckpointKeys {
  let known: NoteKey | undefined

  const fromSecrets = async () => (await secrets.get(SECRET_STORE, SECRET))[SECRET] ?? ''
  const fromDatabase = async () =>
    (await store.get()) ??
    (await store.add(signingKeyText(origin, Buffer.from(ids.hex(32), 'hex')), clock.now()))

  async function read(): Promise<NoteKey> {
    const key = readSigningKey(await (from === 'secretstore' ? fromSecrets() : fromDatabase()))
    if (!key) throw new Error(`the secret ${SECRET} is no signing key, such as npm run audit:key makes`)
    return key
  }
  return { get: async () => (known ??= await read()) }
}
