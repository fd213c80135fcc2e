import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openCheckpoint, readVerifier, verifierText } from '../../shared/domain/audit/signed-note.ts'
import { makeCheckpoint } from '../../shared/app/audit/sign-checkpoint.ts'
import { createCheckpointFolder } from '../../shared/channels/checkpoint-folder.ts'
import { EMPTY_TREE, rootOf, treeLeaf, withLeaf } from '../../shared/domain/audit/merkle.ts'
import { LOG_USER } from '../../shared/domain/events.ts'
import { createCheckpointKeys } from '../../shared/identity/checkpoint-keys.ts'
import { createCheckpointKeyStore } from '../../shared/db/audit/checkpoint-key-store.ts'
import { auditService } from '../../testing/worlds/audit-service.ts'

const service = await auditService()
const { deps, sql, newUser } = service
const folder = mkdtempSync(join(tmpdir(), 'daybook-checkpoints-'))
afterAll(() => rmSync(folder, { recursive: true }))

const checkpoints = () =>
  sql<{ size: number; note: string }[]>`select size, note from audit_checkpoints order by size`

describe('sign-checkpoint', () => {
  it('signs how far every chain has come, announces it once, and signs nothing where nothing has come', async () => {
    for (let n = 0; n < 5; n += 1) await newUser().create()
    await service.record()
    expect((await service.signCheckpoint()).status).toBe(204)
    await service.signCheckpoint()
    const [{ size, note } = { size: 0, note: '' }, ...others] = await checkpoints()
    expect([size, others]).toEqual([5, []])
    const key = readVerifier(verifierText(await deps.checkpointKeys.get()))!
    const leaves = (await deps.auditTree.leaves(0, 100)).map(treeLeaf)
    const root = rootOf(leaves.reduce(withLeaf, EMPTY_TREE))
    expect(openCheckpoint([key], note)).toEqual({ origin: 'daybook.example/audit', size: 5, root })
    expect(openCheckpoint([key], note.replace('\n5\n', '\n4\n'))).toBeNull()

    await service.deliver()
    const announced = service.published.filter(({ event }) => event.type === 'audit.checkpoint.signed')
    expect(announced).toMatchObject([
      { topic: 'audit-events', event: { userid: LOG_USER, data: { size: 5, note } } },
    ])
    await service.record()
    await service.signCheckpoint()
    expect(await checkpoints()).toHaveLength(1)
  })

  it('goes on from the last one, with those who have done something since', async () => {
    const before = (await checkpoints()).at(-1)?.size ?? 0
    const [one, two] = [newUser(), newUser()]
    for (const user of [one, two, one]) {
      await user.create()
      await service.record()
    }
    await service.signCheckpoint()
    await one.create()
    await service.record()
    await Promise.all([service.signCheckpoint(), service.signCheckpoint()])
    expect((await checkpoints()).map(({ size }) => size).slice(-2)).toEqual([before + 2, before + 3])
    const leaves = await deps.auditTree.leaves(0, 1000)
    expect(leaves.at(-1)).toMatchObject({ userId: one.id, seq: 3 })
    const { root } = openCheckpoint([await deps.checkpointKeys.get()], (await checkpoints()).at(-1)!.note)!
    expect(rootOf(leaves.map(treeLeaf).reduce(withLeaf, EMPTY_TREE))).toEqual(root)
  })

  it('keeps a copy outside the database, and tries again where that has failed', async () => {
    await newUser().create()
    await service.record()
    const failing = { keep: async () => Promise.reject(new Error('the disk is full')) }
    const make = (checkpointCopies: typeof failing) =>
      makeCheckpoint({ ...deps, checkpointCopies }, 'cron/sign-checkpoint')
    await expect(make(failing)).rejects.toThrow('full')
    await make(createCheckpointFolder(folder) as typeof failing)
    const { size, note } = (await checkpoints()).at(-1)!
    const files = readdirSync(folder)
    expect(files).toEqual([`${String(size).padStart(15, '0')}.checkpoint`])
    expect(readFileSync(join(folder, files[0]!), 'utf8')).toBe(note)
  })

  it('takes its key from the secret store where it is told to, and makes none', async () => {
    const own = await deps.checkpointKeys.get()
    const [row] = await sql<{ key: string }[]>`select key from audit_keys`
    const keysWith = (auditkey: string) =>
      createCheckpointKeys({
        from: 'secretstore',
        origin: 'x',
        store: createCheckpointKeyStore(sql),
        secrets: { get: async () => ({ auditkey }) },
        clock: deps.clock,
        ids: deps.ids,
      })
    expect((await keysWith(row!.key).get()).id).toEqual(own.id)
    await expect(keysWith('').get()).rejects.toThrow('auditkey')
  })
})
