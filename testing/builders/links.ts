import type { SignedLinks } from '../../shared/app/auth/ports.ts'
import { createSignedLinks } from '../../shared/identity/signed-links.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'

/** Signed with a key that only this process has. */
export const testLinks = createSignedLinks({
  store: { linkKey: async (offered) => offered, addReset: async () => true },
  ids: systemIds,
  clock: systemClock,
})

/** The token of a mail that was asked for now. */
export async function resetLink(
  links: Pick<SignedLinks, 'passwordReset'>,
  { id, email }: { id: string; email: string },
  askedAt = systemClock.now(),
): Promise<string> {
  const token = await links.passwordReset({ userId: id, address: email, askedAt })
  if (token === null) throw new Error('a link would lead nowhere')
  return token
}
