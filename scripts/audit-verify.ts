import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyChain } from '../shared/app/audit/verify-audit.ts'
import { verifyTree, type KeptNote } from '../shared/app/audit/verify-tree.ts'
import { readArguments } from '../shared/arguments.ts'
import { createAuditTrail } from '../shared/db/audit/audit-trail.ts'
import { createAuditTree } from '../shared/db/audit/audit-tree.ts'
import { createCheckpointKeyStore } from '../shared/db/audit/checkpoint-key-store.ts'
import type { Sql } from '../shared/db/connect.ts'
import { readSigningKey, readVerifier, type NoteKey } from '../shared/domain/audit/signed-note.ts'
import { explain } from '../shared/kit/process.ts'
import { inDatabase } from './in-database.ts'

// `npm run audit:verify`: reads the audit trails of everybody in the database of DATABASE_URL or the embedded one, and names the
// first entry, leaf or checkpoint with which something is wrong.
const { values } = readArguments(
  'npm run audit:verify [-- --user ID] [--checkpoints FOLDER] [--key VERIFIER]',
  {
    options: { user: { type: 'string' }, checkpoints: { type: 'string' }, key: { type: 'string' } },
  },
)
const PAGE = 1000

try {
  const fault = await inDatabase(
    'daybook-audit',
    async (sql) => (await verifyTrails(sql)) ?? (await verifyLog(sql)),
  )
  if (fault !== null) {
    process.stderr.write(`${fault}\n`)
    process.exitCode = 2
  }
} catch (error) {
  process.stderr.write(`Not verified: ${explain(error)}\n`)
  process.exitCode = 1
}

async function verifyTrails(sql: Sql): Promise<string | null> {
  const trail = createAuditTrail(sql)
  const startedAt = performance.now()
  const total = { users: 0, entries: 0, erased: 0 }
  let told = startedAt
  const tell = (count: number) => {
    total.entries += count
    if (!process.stderr.isTTY || performance.now() - told < 1000) return
    told = performance.now()
    process.stderr.write(`\r${total.entries} entries`)
  }
  for await (const userId of usersOf(trail)) {
    const report = await verifyChain(trail, userId, tell)
    if (report?.fault) return `user ${userId}, entry ${report.fault.seq}: ${report.fault.reason}`
    total.users += 1
    total.erased += report?.erased ?? 0
  }
  const seconds = (performance.now() - startedAt) / 1000
  const rate = Math.round(total.entries / seconds)
  process.stdout.write(
    `${total.entries} entries of ${total.users} users are whole and unchanged, ${total.erased} of them without content (${rate}/s).\n`,
  )
  return null
}

async function* usersOf(trail: ReturnType<typeof createAuditTrail>): AsyncGenerator<string> {
  if (values.user !== undefined) return yield values.user.toLowerCase()
  let page: string[] = []
  do {
    page = await trail.users(page.at(-1) ?? null, PAGE)
    yield* page
  } while (page.length === PAGE)
}

async function verifyLog(sql: Sql): Promise<string | null> {
  const { checkpoints: folder } = values
  const copies = folder === undefined ? [] : copiesIn(folder)
  const tree = createAuditTree(sql)
  const keys = await keysOf(sql)
  if (keys.length === 0 && copies.length === 0 && (await tree.lastNote()) === null) return null
  if (keys.length === 0) throw new Error('the key is in the secret store: give its verifier with --key')
  const { leaves, notes, fault } = await verifyTree(tree, keys, copies)
  if (fault === null)
    process.stdout.write(`${notes} checkpoints are signed and hold the ${leaves} leaves of the tree.\n`)
  return fault
}

function copiesIn(folder: string): KeptNote[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.checkpoint'))
  return names.map((name) => ({ where: join(folder, name), note: readFileSync(join(folder, name), 'utf8') }))
}

async function keysOf(sql: Sql): Promise<NoteKey[]> {
  if (values.key !== undefined) {
    const key = readVerifier(values.key)
    if (!key) throw new Error(`${values.key} is no verifier, such as npm run audit:key prints`)
    return [key]
  }
  const stored = await createCheckpointKeyStore(sql).get()
  const key = stored === null ? null : readSigningKey(stored)
  return key ? [key] : []
}
