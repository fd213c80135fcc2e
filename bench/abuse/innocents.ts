import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from './http.ts'
import { signUp } from './account.ts'
import { createInnocent } from './innocent.ts'
import { createNotes, nothingYet, type Observed } from './observed.ts'
import { createSignals } from './signals.ts'
import { createSigner } from './signer.ts'

const PEOPLE = 8
/** Each begins something so often, unless the last thing is not done. */
const EVERY_MS = 100
/** A password takes a tenth of a second of two cores or more, and a client may sign in 60 times a minute. */
const SIGN_IN_EVERY_MS = 1500

export interface Window extends Observed {
  seconds: number
  /** How late the loop of the innocents' own process was: no answer can be measured closer. */
  ownDelayMs: number
}

export interface Innocents {
  /** Everybody works for so long; resolves when all that was asked or due in this time has come. */
  work(ms: number): Promise<Window>
  close(): Promise<void>
}

export async function gatherInnocents(url: string): Promise<Innocents> {
  const notes = createNotes()
  const signals = await createSignals(url, notes)
  const workers = await Promise.all(
    Array.from({ length: PEOPLE }, async (_, nth) => {
      const forwardedFor = `10.1.0.${nth + 1}`
      const account = await signUp(url, `innocent-${nth + 1}`, forwardedFor)
      const webhook = await signals.follow(account)
      await tellBy(url, account.token, webhook)
      return createInnocent({ url, forwardedFor }, { account, notes, signals })
    }),
  )
  const signers = await Promise.all(
    [true, false].map((isAtHome) =>
      createSigner(url, { name: isAtHome ? 'signer-at-home' : 'signer-elsewhere', notes, isAtHome }),
    ),
  )
  const people = [
    ...workers.map((person) => ({ person, everyMs: EVERY_MS })),
    ...signers.map((person) => ({ person, everyMs: SIGN_IN_EVERY_MS })),
  ]
  return {
    work: async (ms) => {
      const observed = (notes.observed = nothingYet())
      const own = monitorEventLoopDelay({ resolution: 5 })
      own.enable()
      const end = performance.now() + ms
      await Promise.all(
        people.map(async ({ person, everyMs }, nth) => {
          await delay((nth * EVERY_MS) / people.length)
          while (performance.now() < end) await Promise.all([person.act(), delay(everyMs)])
        }),
      )
      await signals.settle()
      own.disable()
      return { ...observed, seconds: ms / 1000, ownDelayMs: Math.round(own.max / 1e6) - 5 }
    },
    close: async () => {
      signals.close()
      await Promise.all(people.map(({ person }) => person.close()))
    },
  }
}

async function tellBy(url: string, token: string, webhook: string): Promise<void> {
  const client = createClient(url, { connections: 1 })
  const json = { channels: { reminder: ['in_app', 'webhook'] }, webhook_url: webhook }
  const got = await client.ask('PUT', '/api/notifications/preferences', { token, json })
  await client.close()
  if (got.status !== 200) throw new Error(`preferences answered ${got.status}: ${JSON.stringify(got.body)}`)
}
