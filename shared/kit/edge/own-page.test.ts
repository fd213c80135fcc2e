import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { isOwnPage } from './own-page.ts'

const PUBLIC = 'https://tasks.example.org'
/** As a process without PUBLIC_URL has it. */
const NONE = 'urn:daybook'

it.each([
  [NONE, 'localhost:8080', undefined, true],
  [NONE, '127.0.0.1:8080', 'http://localhost:6274', true],
  // A sandboxed frame, whoever has made it.
  [NONE, 'localhost:8080', 'null', false],
  [NONE, 'nas.local', undefined, false],
  [NONE, 'daybook', 'urn:daybook', false],
  [PUBLIC, 'localhost:8080', 'null', false],
  [PUBLIC, 'tasks.example.org', undefined, true],
  [PUBLIC, 'tasks.example.org', PUBLIC, true],
  [PUBLIC, 'tasks.example.org', 'http://tasks.example.org', false],
  [PUBLIC, 'tasks.example.org', 'https://pages.example', true],
  [PUBLIC, 'evil.example', 'https://evil.example', false],
])(
  'of the issuer %s, a request to %s from the origin %s passes: %s',
  async (issuer, host, origin, passes) => {
    const app = new Hono()
    app.get('/', (c) => c.json(isOwnPage({ issuer, corsOrigins: ['https://pages.example'] }, c)))
    const got = await app.request('/', { headers: { host, ...(origin !== undefined && { origin }) } })
    expect(await got.json()).toBe(passes)
  },
)
