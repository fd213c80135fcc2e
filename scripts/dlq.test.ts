import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { DeadLetter } from '../shared/app/outbox/ports.ts'
import { createChangeStore } from '../shared/db/changes/change-store.ts'
import { connect, socketUrl } from '../shared/db/connect.ts'
import { createDeadLetters } from '../shared/db/outbox/dead-letters.ts'
import { startEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { prepareDatabase } from '../shared/db/prepare-database.ts'
import { systemIds } from '../shared/kit/system.ts'
import { aChange, anEvent } from '../testing/builders/a-task.ts'
import { testDatabaseTarget } from '../testing/worlds/database.ts'
import { carryOut } from './dlq/carry-out.ts'
import { readCommand, UsageError } from './dlq/command.ts'

const target = await testDatabaseTarget()
const sql = connect(target, { max: 4, applicationName: 'test' })
afterAll(() => sql.end({ timeout: 1 }))
const letters = createDeadLetters(sql)

const PROGRAM = new URL('./dlq.ts', import.meta.url).pathname
const UNKNOWN = '0199d0a0-0000-7000-8000-000000000000'

/** Runs the program as a person does. */
async function program(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH: '/usr/bin:/bin', ...env } })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const [status] = (await once(child, 'close')) as [number]
  return { status, out: out.trim(), err: err.trim() }
}

/** The same in this process. */
async function dlq(args: string[]) {
  const [out, err]: string[][] = [[], []]
  const command = readCommand(args)
  if (command.name === 'help') throw new Error('ask the program')
  const [say, complain] = [out!, err!].map((lines) => (line: string) => void lines.push(line))
  const status = await carryOut(command, { letters, now: new Date(), say: say!, complain: complain! })
  return { status, out: out!.join('\n'), err: err!.join('\n') }
}

/** A letter about an event of ours; `isOurs: false` for one that never was. */
async function aLetter(over: Partial<DeadLetter> = {}, isOurs = true): Promise<DeadLetter> {
  const [userId, event] = [systemIds.uuid(), anEvent()]
  if (isOurs) {
    await createChangeStore(sql).commit(aChange(userId, { events: [event] }))
    await sql`delete from outbox where user_id = ${userId}`
  }
  const letter = {
    id: systemIds.uuid(),
    eventId: event.id,
    consumer: 'make-things',
    type: event.type,
    userId,
    reason: 'the list is gone',
    letter: { id: event.id, data: { title: 'Buy a ring' } },
    receivedAt: new Date(Date.now() - 3 * 60_000 - 1000),
    ...over,
  }
  await letters.keep(letter)
  return (await letters.get(letter.id))!
}

const said = (words: RegExp) => expect.stringMatching(words) as string
const stateOf = async ({ id }: DeadLetter) => (await letters.get(id))?.state
const waiting = async (user: string) =>
  (await sql<{ count: number }[]>`select count(*)::int from outbox where user_id = ${user}`)[0]?.count

beforeEach(() => sql`delete from dead_letters`)

describe('npm run dlq', () => {
  it('lists what is open in a table, with nothing of what is in the letters', async () => {
    expect(await dlq(['list'])).toEqual({ status: 0, out: 'There are no open dead letters.', err: '' })
    const [letter, other] = [await aLetter(), await aLetter({ userId: null, reason: 'x'.repeat(1000) })]
    await letters.discard(other.id, new Date())
    const { status, out } = await dlq(['list'])
    expect(status).toBe(0)
    const [heading, line, ...more] = out.split('\n')
    expect(heading).toMatch(/^id +state +age +times +type +consumer +user +reason$/)
    expect(line?.split(/ {2,}/)).toEqual([
      letter.id,
      'open',
      '3m',
      '1',
      'task.updated',
      'make-things',
      letter.userId,
      'the list is gone',
    ])
    expect(more).toEqual([])
    expect((await dlq(['list', '--state', 'all'])).out.split('\n')).toHaveLength(3)
    const discarded = await dlq(['list', '--state', 'discarded'])
    expect(discarded.out).toContain(other.id)
    expect(discarded.out.split('\n').every((text) => text.length < 350)).toBe(true)
    expect(out).not.toContain('ring')
  })

  it('shows one whole', async () => {
    const letter = await aLetter()
    const { status, out } = await program(['show', letter.id], { DATABASE_URL: socketUrl(target) })
    expect(status).toBe(0)
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(letter)))
  })

  it('replays one once, and says when it will be published', async () => {
    const letter = await aLetter()
    const { status, out } = await dlq(['replay', letter.id])
    expect({ status, out }).toEqual({
      status: 0,
      out: said(/is replayed.*within 10 s/s),
    })
    expect([await stateOf(letter), await waiting(letter.userId!)]).toEqual(['replayed', 1])
    expect(await dlq(['replay', letter.id])).toMatchObject({ status: 1, err: said(/is replayed already/) })
    expect(await dlq(['discard', letter.id])).toMatchObject({ status: 1, err: said(/is replayed already/) })
  })

  it('replays all that can be, and names what cannot', async () => {
    const ours = await aLetter()
    const twice = await aLetter({ eventId: ours.eventId, consumer: 'another' }, false)
    const foreign = await aLetter({ eventId: 'content-0123' }, false)
    const { status, out, err } = await dlq(['replay', '--all'])
    expect(status).toBe(1)
    expect(err).toBe(
      `${foreign.id} cannot be replayed: its event was never published by this Daybook. Look at it, then discard it.`,
    )
    expect(out).toMatch(/1 replayed, 1 not/)
    expect(await Promise.all([ours, twice, foreign].map(stateOf))).toEqual(['replayed', 'replayed', 'open'])
    await dlq(['discard', foreign.id])
    expect(await dlq(['replay', '--all'])).toMatchObject({ status: 0, out: said(/no open dead letters/) })
  })

  it('discards one once', async () => {
    const letter = await aLetter()
    expect(await dlq(['discard', letter.id])).toEqual({
      status: 0,
      out: `${letter.id} is discarded.`,
      err: '',
    })
    expect(await stateOf(letter)).toBe('discarded')
    expect(await dlq(['discard', letter.id])).toMatchObject({ status: 1, err: said(/is discarded already/) })
    expect(await dlq(['replay', letter.id])).toMatchObject({ status: 1, err: said(/is discarded already/) })
    expect(await waiting(letter.userId!)).toBe(0)
  })

  it.each(['show', 'replay', 'discard'])('refuses to %s what is not there', async (command) => {
    for (const id of [UNKNOWN, 'nonsense', "'; drop table dead_letters"]) {
      const { status, out, err } = await dlq([command, id])
      expect({ status, out }).toEqual({ status: 1, out: '' })
      expect(err).toBe(`There is no dead letter ${id}; see npm run dlq -- list --state all.`)
    }
  })

  it.each([
    '',
    'lost',
    'list what',
    'list --state shut',
    'list --all',
    'show',
    'replay',
    '--nonsense',
    `replay ${UNKNOWN} --all`,
    `discard --state open ${UNKNOWN}`,
    `discard ${UNKNOWN} ${UNKNOWN}`,
  ])('does not understand "%s"', (line) => {
    expect(() => readCommand(line.split(' ').filter(Boolean))).toThrow(UsageError)
  })

  it('says how it is used when it does not understand', async () => {
    const { status, out, err } = await program(['lost'], {})
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toMatch(/^There is no command lost\.\n\nUsage: npm run dlq/)
  })

  it('explains itself, and in one line why it cannot work', async () => {
    expect(await program(['--help'], {})).toMatchObject({
      status: 0,
      out: said(/^Usage: npm run dlq/),
      err: '',
    })
    const away = await program(['list'], { DATABASE_URL: 'postgres://127.0.0.1:1/nothing' })
    expect(away).toMatchObject({
      status: 1,
      out: '',
      err: said(/^Nothing was done: the database cannot be reached.*$/),
    })
    const empty = await program(['list'], { DAYBOOK_DATA_DIR: join(tmpdir(), 'no-daybook-was-ever-here') })
    expect(empty).toMatchObject({
      status: 1,
      out: '',
      err: said(/^Nothing was done: There is no Daybook in.*$/),
    })
  })

  it('works on the embedded database, whether Daybook runs on it or not', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'daybook-dlq-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    const running = await startEmbeddedPostgres(dataDir)
    const own = connect(running.target, { max: 1, applicationName: 'test' })
    await prepareDatabase({ target: running.target, ownerTarget: running.as('owner') })
    await createDeadLetters(own).keep(await aLetter())
    const beside = await program(['list'], { DAYBOOK_DATA_DIR: dataDir })
    expect(beside).toMatchObject({ status: 0, out: said(/make-things/), err: '' })
    // The server is still Daybook's.
    expect(await own`select 1 as one`).toEqual([{ one: 1 }])
    await own.end({ timeout: 1 })
    await running.stop()
    expect(await program(['list'], { DAYBOOK_DATA_DIR: dataDir })).toEqual(beside)
    // It took its server with it: the next one can have the data.
    await (await startEmbeddedPostgres(dataDir)).stop()
  }, 60_000)
})
