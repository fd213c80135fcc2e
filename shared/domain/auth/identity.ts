import { z } from 'zod'
import { instantText, timeZone } from '../fields.ts'

export const ACCESS_TOKEN_SECONDS = 15 * 60
export const TICKET_SECONDS = 30
export const MAX_TICKETS = 50

/** The scope of a person's own sign-in: everything that is theirs. */
export const FULL_SCOPE = 'full'

/** What a ticket may be spent on: opening one live stream (SSE or WebSocket). */
const TICKET_PURPOSES = ['stream'] as const
export type TicketPurpose = (typeof TICKET_PURPOSES)[number]

export interface User {
  id: string
  /** Null for who comes through an external issuer that does not vouch for one. */
  email: string | null
  timeZone: string
  createdAt: Date
  /** Since when mail may go to the address. */
  emailConfirmedAt: Date | null
  confirmationSentAt: Date | null
  displayName: string | null
  /** What becomes the address when it is confirmed, and since when it is asked for. */
  newEmail: string | null
  newEmailAt: Date | null
  /** Counts every change, from 1. */
  version: number
}

/** What a new user begins with. */
export const NEW_USER = { displayName: null, newEmail: null, newEmailAt: null, version: 1 } as const

/** A user with what changes of it. */
export const changedUser = (user: User, to: Partial<User>): User => ({
  ...user,
  ...to,
  version: user.version + 1,
})

const MAX_LOCAL_PART = 64

/** A mail address in the one form it is stored and compared in: trimmed, lower case. ASCII, ≤254 (RFC 5321 §4.5.3.1). */
export const MailAddress = z
  .string()
  .trim()
  .max(254)
  .refine((value) => /^\p{ASCII}*$/u.test(value), 'must be ASCII (of an international domain, its xn-- form)')
  .regex(z.regexes.email, 'must be a mail address')
  .refine((value) => value.indexOf('@') <= MAX_LOCAL_PART, 'has more than 64 characters before the @')
  .transform((value) => value.toLowerCase())

/** Normalised so that a password typed on another keyboard is the same (NIST SP 800-63B §3.1.1.2 asks for NFKC or NFKD). */
export const password = z
  .string()
  .max(1024)
  .refine(
    (value) => value.isWellFormed() && !value.includes('\u0000'),
    'must not contain NUL or broken Unicode',
  )
  .transform((value) => value.normalize('NFKC'))

export const newPassword = password.refine(
  (value) => Array.from(value).length >= 8,
  'must have at least 8 characters',
)

/** For the examples of the API document, which can be sent in their order. */
export const EXAMPLE_ACCOUNT = { email: 'ada@example.org', password: 'correct horse battery staple' }

export const RegistrationInput = z
  .strictObject({
    email: MailAddress,
    password: newPassword.meta({ minLength: 8 }),
    time_zone: timeZone.default('UTC').describe('IANA zone'),
    invitation: z
      .string()
      .max(200)
      .optional()
      .describe('A code from the operator, where registration is by invitation'),
  })
  .meta({ id: 'RegistrationInput', examples: [{ ...EXAMPLE_ACCOUNT, time_zone: 'Europe/Berlin' }] })
export type RegistrationInput = z.infer<typeof RegistrationInput>

export const LoginInput = z
  .strictObject({ email: MailAddress, password })
  .meta({ id: 'LoginInput', examples: [EXAMPLE_ACCOUNT] })
export type LoginInput = z.infer<typeof LoginInput>

/** Any text: what is no token of ours is refused as a token, not as a field. */
export const ConfirmationInput = z
  .strictObject({ token: z.string().max(4096).describe('From the link in the mail') })
  .meta({ id: 'ConfirmationInput', examples: [{ token: 'of the link in the mail' }] })

export const RefreshInput = z
  .strictObject({ refresh_token: z.string().max(4096) })
  .meta({ id: 'RefreshInput', examples: [{ refresh_token: 'of the last answer' }] })
export type RefreshInput = z.infer<typeof RefreshInput>

export const SignedIn = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().positive().describe('Seconds until the access token expires'),
    refresh_token: z.string().describe('For one use; the response holds the next'),
    user: z.object({ id: z.uuid(), email: z.string().nullable() }),
  })
  .meta({ id: 'SignedIn' })
export type SignedIn = z.infer<typeof SignedIn>

export const MeView = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    email_confirmed_at: instantText.nullable().describe('No reminders are sent there before'),
    new_email: z
      .string()
      .nullable()
      .describe('Becomes the address when the link in the mail to it is followed'),
    display_name: z.string().nullable(),
    time_zone: z.string(),
    created_at: instantText,
  })
  .meta({ id: 'Me' })
export type MeView = z.infer<typeof MeView>

export const meView = (user: User): MeView => ({
  id: user.id,
  email: user.email,
  email_confirmed_at: user.emailConfirmedAt?.toISOString() ?? null,
  new_email: user.newEmail,
  display_name: user.displayName,
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
