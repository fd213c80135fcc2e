import { isOwnAddress } from '../../../domain/auth/own-address.ts'
import { invalidField } from '../../../domain/errors.ts'
import type { Deps } from '../../ports.ts'

/** Refuses in the field `path` a password that is among the first to be tried. */
export async function checkNewPassword(
  { identity }: Pick<Deps, 'identity'>,
  path: string,
  { password, email }: { password: string; email: string | null },
): Promise<void> {
  if (email !== null && isOwnAddress(password, email))
    throw invalidField(path, 'must not be made of the mail address')
  if (await identity.passwords.isCommon(password))
    throw invalidField(path, 'is one of the passwords that are used most and tried first')
}
