import { z } from 'zod'
import { DAY_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { instantText } from '../fields.ts'
import { SCOPES, type Scope } from '../scopes.ts'
import { displayName } from './account.ts'

/** What a user lets a program do in their name. */
export interface ApiToken {
  id: string
  userId: string
  name: string
  scopes: Scope[]
  digest: string
  createdAt: Date
  expiresAt: Date
  lastUsedAt: Date | null
}

export const MAX_API_TOKENS = 50
/** Tells them from all others that we hand out. */
export const API_TOKEN_PREFIX = 'dba_'
export const API_TOKEN = /^dba_[\da-f]{64}$/

const scope = z.enum(Object.keys(SCOPES) as [Scope, ...Scope[]])

export const ApiTokenInput = z
  .strictObject({
    name: displayName.describe(
      'For you to know it by, of 1 to 100 characters; no other token of yours has it',
    ),
    scopes: z.array(scope).min(1).max(Object.keys(SCOPES).length).describe('What it may do; nothing else'),
    expires_in_days: z.int().min(1).max(366).default(90),
  })
  .meta({
    id: 'ApiTokenInput',
    examples: [
      { name: 'Assistant on my laptop', scopes: ['tasks:read', 'tasks:write'], expires_in_days: 30 },
    ],
  })
export type ApiTokenInput = z.infer<typeof ApiTokenInput>

const ApiTokenView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    scopes: z.array(z.string()),
    created_at: instantText,
    expires_at: instantText,
    last_used_at: instantText.nullable().describe('Within five minutes; null: never'),
  })
  .meta({ id: 'ApiToken' })

export const NewApiToken = ApiTokenView.extend({
  token: z.string().describe('Shown this once; send it as Authorization: Bearer …'),
}).meta({ id: 'NewApiToken' })
export type NewApiToken = z.infer<typeof NewApiToken>

export const ApiTokenList = z
  .object({ items: z.array(ApiTokenView).describe('Newest first') })
  .meta({ id: 'ApiTokenList' })
export type ApiTokenList = z.infer<typeof ApiTokenList>

export function decideApiToken(
  { name, scopes, expires_in_days }: ApiTokenInput,
  { id, userId, digest, now }: { id: string; userId: string; digest: string; now: Date },
): ApiToken {
  return {
    id,
    userId,
    name,
    scopes: [...new Set(scopes)].toSorted(),
    digest,
    createdAt: now,
    expiresAt: new Date(now.getTime() + expires_in_days * DAY_MS),
    lastUsedAt: null,
  }
}

export const apiTokenView = (token: ApiToken): z.infer<typeof ApiTokenView> => ({
  id: token.id,
  name: token.name,
  scopes: token.scopes,
  created_at: token.createdAt.toISOString(),
  expires_at: token.expiresAt.toISOString(),
  last_used_at: token.lastUsedAt?.toISOString() ?? null,
})

/** Whoever finds a token must not be able to make others of it, which would outlive it, nor to shut its user out. */
export function refuseAgents({ view }: { view: { type: string } }): void {
  if (view.type !== 'agent') return
  throw new DomainError(
    'auth.forbidden',
    'This is for who has signed in, and not for the token of a program.',
  )
}
