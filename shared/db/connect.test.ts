import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { connect, socketUrl, type SocketTarget } from './connect.ts'

/** A way to a server that can be closed and opened again. */
function gateTo(target: SocketTarget) {
  const host = mkdtempSync(join(tmpdir(), 'gate-'))
  const name = `.s.PGSQL.${target.port}`
  const sockets = new Set<Socket>()
  const server = createServer((outer) => {
    const inner = connectSocket(join(target.host, name))
    for (const socket of [outer, inner]) {
      sockets.add(socket)
      socket.on('error', () => {}) // the other end is told by the close
      socket.on('close', () => {
        outer.destroy()
        inner.destroy()
      })
    }
    outer.pipe(inner).pipe(outer)
  })
  const open = () => new Promise<void>((resolve) => server.listen(join(host, name), resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  onTestFinished(async () => {
    if (server.listening) await close()
    rmSync(host, { recursive: true, force: true })
  })
  return { target: { ...target, host }, open, close }
}

describe('connect', () => {
  it('reaches the same database by socket and by the URL of that socket', async () => {
    const target = await testDatabaseTarget()
    for (const named of [target, socketUrl(target)]) {
      const sql = connect(named, { max: 1, applicationName: 'test' })
      expect(await sql`select current_database() as name`).toEqual([{ name: target.database }])
      await sql.end()
    }
  })

  it('keeps nobody waiting once the server is back, however often it was asked meanwhile', async () => {
    const { target, open, close } = gateTo(await testDatabaseTarget())
    const sql = connect(target, { max: 8, applicationName: 'test' })
    onTestFinished(() => sql.end({ timeout: 1 }))
    await open()
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    await close()
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => sql`select 1 as one`.execute()))
    expect(asked.every(({ status }) => status === 'rejected')).toBe(true)
    await open()
    const backAt = performance.now()
    await Promise.all(Array.from({ length: 8 }, () => sql`select 1 as one`.execute()))
    expect(performance.now() - backAt).toBeLessThan(3000)
  }, 60_000)
})
