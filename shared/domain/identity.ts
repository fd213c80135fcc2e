import { z } from 'zod'
import { instantText, timeZone } from './fields.ts'

export const ACCESS_TOKEN_SECONDS = 15 * 60
export const TICKET_SECONDS = 30

/** The scope of a person's own sign-in: everything that is theirs. */
export const FULL_SCOPE = 'full'

/** What a ticket may be spent on: opening one live stream (SSE or WebSocket). */
export const TICKET_PURPOSES = ['stream'] as const
export type TicketPurpose = (typeof TICKET_PURPOSES)[number]

export interface User {
  id: string
  /** Null for who comes through an external issuer. */
  email: string | null
  timeZone: string
  createdAt: Date
}

const MAX_LOCAL_PART = 64

/** A mail address in the one form it is stored and compared in: trimmed, lower case. ASCII, ≤254 (RFC 5321 §4.5.3.1). */
const email = z
  .string()
  .trim()
  .max(254)
  .regex(z.regexes.email, 'must be a mail address')
  .refine((value) => value.indexOf('@') <= MAX_LOCAL_PART, 'has more than 64 characters before the @')
  .transform((value) => value.toLowerCase())

/** Normalised so that a password typed on another keyboard is the same (NIST SP 800-63B §3.1.1.2 asks for NFKC or NFKD). */
const password = z
  .string()
  .max(1024)
  .refine(
    (value) => value.isWellFormed() && !value.includes('\u0000'),
    'must not contain NUL or broken Unicode',
  )
  .transform((value) => value.normalize('NFKC'))

const newPassword = password.refine(
  (value) => Array.from(value).length >= 8,
  'must have at least 8 characters',
)

export const RegistrationInput = z
  .strictObject({
    email,
    password: newPassword.meta({ minLength: 8 }),
    time_zone: timeZone.default('UTC').describe('IANA zone'),
  })
  .meta({ id: 'RegistrationInput' })
export type RegistrationInput = z.infer<typeof RegistrationInput>

export const LoginInput = z.strictObject({ email, password }).meta({ id: 'LoginInput' })
export type LoginInput = z.infer<typeof LoginInput>

/** Any text: what is no token of ours is refused as a token, not as a field. */
export const RefreshInput = z
  .strictObject({ refresh_token: z.string().max(4096) })
  .meta({ id: 'RefreshInput' })
export type RefreshInput = z.infer<typeof RefreshInput>

export const SignedIn = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().positive().describe('Seconds until the access token expires'),
    refresh_token: z.string().describe('For one use; the answer to it holds the next'),
    user: z.object({ id: z.uuid(), email: z.string().nullable() }),
  })
  .meta({ id: 'SignedIn' })
export type SignedIn = z.infer<typeof SignedIn>

export const MeView = z
  .object({ id: z.uuid(), email: z.string().nullable(), time_zone: z.string(), created_at: instantText })
  .meta({ id: 'Me' })
export type MeView = z.infer<typeof MeView>

export const meView = (user: User): MeView => ({
  id: user.id,
  email: user.email,
  time_zone: user.timeZone,
  created_at: user.createdAt.toISOString(),
})

export const TicketView = z
  .object({
    ticket: z.string().describe('For one EventSource or WebSocket, as its query parameter `ticket`'),
    expires_in: z.int().positive().describe('Seconds'),
  })
  .meta({ id: 'Ticket' })
export type TicketView = z.infer<typeof TicketView>

/** A JSON Web Key Set of public RSA keys (RFC 7517 §5, RFC 7518 §6.3.1). */
export const KeySet = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('RSA'),
        use: z.literal('sig'),
        alg: z.literal('RS256'),
        kid: z.string(),
        n: z.string(),
        e: z.string(),
      }),
    ),
  })
  .meta({ id: 'KeySet' })
export type KeySet = z.infer<typeof KeySet>
