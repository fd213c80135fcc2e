import { setTimeout as delay } from 'node:timers/promises'
import { addresses, hammer, type Attack } from './attack.ts'
import { BODIES } from './bodies.ts'
import { createClient } from './http.ts'
import { randomWords } from './words.ts'

interface Tokens {
  tokens: string[]
}

/** `round` is another with every run, so that what was counted against an address before does not soften the next attack. */
interface Rounds {
  round: number
}

const misspeltSearches: Attack<Tokens> = async (target, { tokens }) => {
  await Promise.all(
    tokens.map((token) =>
      hammer(target, {
        perSecond: 10,
        connections: 4,
        request: () => ['GET', `/api/tasks?q=${randomWords(12).join('+')}`, { token }],
      }),
    ),
  )
}

/** 40 big answers at once, and they are read as fast as they come. */
const fatPages: Attack<Tokens> = (target, { tokens: [token] }) =>
  hammer(target, {
    perSecond: 60,
    connections: 40,
    request: (nth) => ['GET', nth % 2 === 0 ? '/api/changes?limit=1000' : '/api/tasks?limit=200', { token }],
  })

/** Nothing else than what was stored before: all reminders are due at once. */
const wait: Attack<unknown> = (target) =>
  new Promise((resolve) => {
    target.got('reminders')
    target.signal.addEventListener('abort', () => resolve())
  })

const signIns: Attack<Rounds> = async (target, { round }) => {
  await Promise.all(
    addresses(10 + round, 12).map((from) =>
      hammer(target, {
        from,
        perSecond: 20,
        connections: 10,
        request: () => [
          ...(['POST', '/api/auth/login'] as const),
          { json: { email: `${randomWords(1)[0]}@attack.example`, password: 'a wrong password' } },
        ],
      }),
    ),
  )
}

const requests: Attack<Tokens & Rounds> = async (target, { tokens: [token], round }) => {
  const [from] = addresses(40 + round, 1)
  const forged = `${token!.slice(0, -8)}AAAAAAAA`
  await Promise.all([
    hammer(target, {
      perSecond: 400,
      connections: 32,
      request: (nth) => ['GET', nth % 2 === 0 ? '/api/tasks?limit=50' : '/api/tags', { token }],
    }),
    hammer(target, {
      from: from!,
      perSecond: 400,
      connections: 32,
      request: (nth) => ['GET', '/api/tasks', nth % 2 === 0 ? {} : { token: forged }],
    }),
  ])
}

const tickets: Attack<{ token: string; refreshToken: string }> = async (target, account) => {
  await Promise.all([
    hammer(target, {
      perSecond: 200,
      connections: 16,
      request: () => ['POST', '/api/auth/ticket', { token: account.token }],
    }),
    refreshAgainAndAgain(target, account.refreshToken),
  ])
}

/** Each refresh token is good for the next one only, so this goes on one by one. */
const refreshAgainAndAgain: Attack<string> = async ({ url, signal, got }, first) => {
  const client = createClient(url, { connections: 1 })
  let token: string | undefined = first
  while (!signal.aborted && token !== undefined) {
    const { status, body } = await client.ask('POST', '/api/auth/refresh', { json: { refresh_token: token } })
    got(String(status))
    if (status === 429) await delay(200)
    else token = (body as { refresh_token?: string } | null)?.refresh_token
  }
  await client.close()
}

const bodies = Object.values(BODIES)

const bigBodies: Attack<Tokens> = (target, { tokens: [token] }) =>
  hammer(target, {
    perSecond: 20,
    connections: 10,
    request: (nth) => ['POST', '/api/tasks', { token, body: bodies[nth % bodies.length]! }],
  })

const wholeSeries: Attack<Tokens & { taskId: string }> = (target, { tokens: [token], taskId }) =>
  hammer(target, {
    perSecond: 10,
    connections: 4,
    request: (nth) => [
      ...(['PATCH', `/api/tasks/${taskId}?scope=all`] as const),
      { token, json: { title: `Every day ${nth}` } },
    ],
  })

const writes: Attack<Tokens> = (target, { tokens: [token] }) =>
  hammer(target, {
    perSecond: 1000,
    connections: 500,
    request: (nth) => ['POST', '/api/tasks', { token, json: { title: `Written ${nth}`, tags: ['flood'] } }],
  })

export const attacksByRequests = {
  misspeltSearches,
  fatPages,
  wait,
  signIns,
  requests,
  tickets,
  bigBodies,
  wholeSeries,
  writes,
}
