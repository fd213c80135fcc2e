import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AuditExport } from '../../shared/domain/audit/export-audit.ts'
import { auditService } from '../../testing/worlds/audit-service.ts'
import { aChange, anEvent } from '../../testing/builders/a-task.ts'

const service = await auditService()
const { newUser } = service

async function someUser() {
  const user = newUser()
  const { id } = await user.create({ title: '=1+1 "quoted", “naïve” 😀' })
  await user.does('POST', `/api/tasks/${id}/complete`)
  await service.record()
  return user
}

interface Proven {
  entry: Record<string, unknown>
  salt: string
  leaf: string
  hash: string
}

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const int64 = (value: number) => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}

describe('export-audit', () => {
  it('is a document that proves itself, as docs/audit.md says how', async () => {
    const user = await someUser()
    await service.signCheckpoint()
    const { text, headers } = await service.getText(user, '/api/audit/export')
    expect(headers.get('content-disposition')).toBe('attachment; filename="audit.json"')
    const told = AuditExport.parse(JSON.parse(text))
    let before = bytes(told.anchor.hash)
    for (const { entry, salt, leaf, hash } of told.items) {
      const line = text.split('\n').find((one) => one.includes(`"hash":"${hash}","leaf"`))!
      const body = /"entry":(.*),"hash":"/.exec(line)![1]!
      expect(sha256(Buffer.of(0), bytes(salt), Buffer.from(body))).toEqual(bytes(leaf))
      before = sha256(Buffer.of(1), before, int64(entry.seq), int64(Date.parse(entry.at)), bytes(leaf))
      expect(before).toEqual(bytes(hash))
    }
    expect([told.items.length, told.head]).toEqual([2, { seq: 2, hash: before.toString('hex') }])
    expect(told.checkpoint).toMatch(/^daybook\.example\/audit\n\d+\n/)
  })

  it('has an entry on each line as NDJSON', async () => {
    const user = await someUser()
    const { text, headers } = await service.getText(user, '/api/audit/export?format=ndjson')
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Proven)
    expect(lines.map(({ entry }) => entry['action'])).toEqual(['task.created', 'task.completed'])
  })

  it('is a table as CSV in which nothing is a formula', async () => {
    const id = service.deps.ids.uuid()
    const user = { ...newUser(), id }
    const hostile = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '"; DROP']
    const events = hostile.map((text) =>
      anEvent({ data: { actor: { type: 'user', id, user_agent: text }, changes: {} } }),
    )
    await service.deps.changes.commit(aChange(id, { events }))
    await service.record()
    const { text, headers } = await service.getText(user, '/api/audit/export?format=csv')
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const agents = [...text.matchAll(/"task\/1","user","[^"]+","","","","((?:[^"]|"")*)"/g)].map(
      ([, cell]) => cell,
    )
    expect(agents).toEqual(["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", '""; DROP'])
    expect(text.split('\r\n')[0]).toMatch(/^"seq","at","action"/)
  })

  it.each(['json', 'csv', 'ndjson'])('as %s is there for who has no entry', async (format) => {
    const { status, text } = await service.getText(newUser(), `/api/audit/export?format=${format}`)
    expect([status, text.includes('task.')]).toEqual([200, false])
    if (format === 'json') AuditExport.parse(JSON.parse(text))
  })

  it('comes in pieces, a page at a time', async () => {
    const id = service.deps.ids.uuid()
    const user = { ...newUser(), id }
    for (let n = 0; n < 5; n += 1)
      await service.deps.changes.commit(aChange(id, { events: Array.from({ length: 100 }, () => anEvent()) }))
    await service.record()
    const reads: number[] = []
    const auditTrail = {
      ...service.deps.auditTrail,
      after: async (userId: string, seq: number, limit: number) => {
        reads.push(limit)
        return service.deps.auditTrail.after(userId, seq, limit)
      },
    }
    const { exportAudit } = await import('../../shared/app/audit/export-audit.ts')
    const pieces = exportAudit({ ...service.deps, auditTrail }, id, 'ndjson')
    await pieces.next()
    await pieces.next()
    expect(reads).toEqual([200])
    const { text } = await service.getText(user, '/api/audit/export?format=ndjson')
    expect(text.trimEnd().split('\n')).toHaveLength(500)
  })

  it('is refused when it is asked for too often', async () => {
    const user = newUser()
    for (let n = 0; n < 20; n += 1) await service.getText(user, '/api/audit/export')
    const { status, headers } = await service.getText(user, '/api/audit/export')
    expect([status, Number(headers.get('retry-after')) > 0]).toEqual([429, true])
  })
})
