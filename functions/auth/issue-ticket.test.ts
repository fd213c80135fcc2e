import { describe, expect, it } from 'vitest'
import { redeemTicket } from '../../shared/app/auth/redeem-ticket.ts'
import type { SignedIn, TicketView } from '../../shared/domain/auth/identity.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import issueTicket from './issue-ticket.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()

async function signedIn() {
  const json = { email: `${systemIds.uuid()}@example.org`, password: 'correct horse battery staple' }
  return (await world.call<SignedIn>(registerUser, { json })).body
}

async function ticketOf(token: string) {
  return world.call<TicketView>(issueTicket, { token })
}

const redeem = (ticket: string) => redeemTicket(world.deps, ticket, 'stream')
const refused = { code: 'auth.invalid_token' }

describe('issue-ticket', () => {
  it('gives a ticket that stands for the caller', async () => {
    const { access_token: token } = await signedIn()
    const { status, headers, body } = await ticketOf(token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({ ticket: expect.stringMatching(/^dbt_[0-9a-f]{64}$/), expires_in: 30 })
    expect(await redeem(body.ticket)).toEqual(await world.authenticate(token))
  })

  it('leaves nothing for ever: no event, and fifty tickets of a user at most, the newest', async () => {
    const { access_token: token, user } = await signedIn()
    const happened = await world.eventsOf(user.id)
    const tickets: string[] = []
    for (let n = 0; n < 60; n += 1) {
      world.clock.advance(1)
      tickets.push((await ticketOf(token)).body.ticket)
    }
    expect(await world.eventsOf(user.id)).toEqual(happened)
    expect(await world.sql`select 1 from tickets where user_id = ${user.id}`).toHaveLength(50)
    await expect(redeem(tickets[9]!)).rejects.toMatchObject(refused)
    expect((await redeem(tickets[10]!)).userId).toBe(user.id)
  })

  it('lets one of many use it, and nobody afterwards', async () => {
    const { body } = await ticketOf((await signedIn()).access_token)
    const uses = await Promise.allSettled(Array.from({ length: 50 }, () => redeem(body.ticket)))
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(redeem(body.ticket)).rejects.toMatchObject(refused)
  })

  it('expires after thirty seconds', async () => {
    const { body } = await ticketOf((await signedIn()).access_token)
    world.clock.advance(30_000)
    await expect(redeem(body.ticket)).rejects.toMatchObject(refused)
  })

  it('is no access token, and an access token is no ticket', async () => {
    const { access_token: token } = await signedIn()
    const { body } = await ticketOf(token)
    await expect(world.authenticate(body.ticket)).rejects.toMatchObject(refused)
    await expect(redeem(token)).rejects.toMatchObject(refused)
  })

  it('is nothing for a session that has ended, though this process has not heard of it', async () => {
    const { access_token: token } = await signedIn()
    expect((await ticketOf(token)).status).toBe(200)
    const { sessionId } = await world.authenticate(token)
    await world.sql`update sessions set revoked_at = now() where id = ${sessionId!}`
    expect((await world.authenticate(token)).sessionId).toBe(sessionId)
    expect(await ticketOf(token)).toMatchObject({ status: 401, body: { code: 'auth.invalid_token' } })
  })

  it('is for who signs in elsewhere, too, and for nobody whose account is gone', async () => {
    const { id } = await world.external()
    expect((await ticketOf(tokenOf(id))).status).toBe(200)
    expect((await ticketOf(tokenOf(systemIds.uuid()))).status).toBe(401)
  })

  it('is kept as a digest', async () => {
    const { access_token: token, user } = await signedIn()
    const { body } = await ticketOf(token)
    const [kept] = await world.sql`select * from tickets where user_id = ${user.id}`
    expect(kept).toBeDefined()
    expect(JSON.stringify(kept)).not.toContain(body.ticket)
  })

  it('answers 401 without a token', async () => {
    const { status, headers } = await world.call(issueTicket)
    expect(status).toBe(401)
    expect(headers.get('cache-control')).toBe('no-store')
  })
})
