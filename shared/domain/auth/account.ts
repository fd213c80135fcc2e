import { z } from 'zod'
import { HOUR_MS, MINUTE_MS } from '../durations.ts'
import { text, timeZone } from '../fields.ts'
import { changedUser, EXAMPLE_ACCOUNT, MailAddress, newPassword, password, type User } from './identity.ts'

/** How long the link in a mail sets a new password. */
export const RESET_WITHIN_MS = 30 * MINUTE_MS
/** Between two mails that ask to confirm the same new address. */
const MAIL_AGAIN_AFTER_MS = HOUR_MS

const MAX_NAME = 100
/** Also what turns the direction of the text around it. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

export const displayName = text(1, MAX_NAME).refine(
  (value) => !CONTROLS.test(value),
  'must not contain control characters',
)

const ANOTHER_PASSWORD = 'another horse battery staple'
const PRESENT_PASSWORD = 'The present one; not needed where the account has none'

export const AccountPatch = z
  .strictObject({
    time_zone: timeZone.optional().describe('IANA zone'),
    display_name: displayName.nullable().optional(),
    email: MailAddress.optional().describe(
      'Becomes the address when the link in the mail to it is followed; the present address takes an earlier request back',
    ),
    password: password.optional().describe('The present one; required with another email'),
  })
  .meta({ id: 'AccountPatch', examples: [{ display_name: 'Ada', time_zone: 'Europe/Berlin' }] })
export type AccountPatch = z.infer<typeof AccountPatch>

export const PasswordChange = z
  .strictObject({
    old_password: password,
    new_password: newPassword.meta({ minLength: 8 }),
  })
  .refine(({ old_password, new_password }) => old_password !== new_password, {
    path: ['new_password'],
    message: 'must be another than old_password',
  })
  .meta({
    id: 'PasswordChange',
    examples: [{ old_password: EXAMPLE_ACCOUNT.password, new_password: ANOTHER_PASSWORD }],
  })
export type PasswordChange = z.infer<typeof PasswordChange>

export const ResetRequest = z
  .strictObject({ email: MailAddress })
  .meta({ id: 'PasswordResetRequest', examples: [{ email: EXAMPLE_ACCOUNT.email }] })

/** Any text as a token, as of every other. */
export const PasswordReset = z
  .strictObject({
    token: z.string().max(4096).describe('From the link in the mail'),
    new_password: newPassword.meta({ minLength: 8 }),
  })
  .meta({
    id: 'PasswordReset',
    examples: [{ token: 'of the link in the mail', new_password: ANOTHER_PASSWORD }],
  })
export type PasswordReset = z.infer<typeof PasswordReset>

export const AccountDeletion = z
  .strictObject({ password: password.optional().describe(PRESENT_PASSWORD) })
  .meta({ id: 'AccountDeletion', examples: [{ password: EXAMPLE_ACCOUNT.password }] })

/** Whether the patch asks for an address that is neither the user's nor was asked for just now. */
export const asksForAddress = (user: User, { email }: AccountPatch, now: Date): boolean =>
  email !== undefined &&
  email !== user.email &&
  !(email === user.newEmail && now.getTime() - user.newEmailAt!.getTime() < MAIL_AGAIN_AFTER_MS)

/** The user by a patch; the same when nothing changes. */
export function editedUser(user: User, patch: AccountPatch, now: Date): User {
  const name = patch.display_name === undefined ? user.displayName : patch.display_name
  const to: Partial<User> = {
    timeZone: patch.time_zone ?? user.timeZone,
    displayName: name,
    ...(patch.email === user.email && { newEmail: null, newEmailAt: null }),
    ...(asksForAddress(user, patch, now) && { newEmail: patch.email!, newEmailAt: now }),
  }
  const isSame = Object.entries(to).every(([field, value]) => user[field as keyof User] === value)
  return isSame ? user : changedUser(user, to)
}
