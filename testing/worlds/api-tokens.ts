import createApiToken from '../../functions/auth/create-api-token.ts'
import logIn from '../../functions/auth/log-in.ts'
import registerUser from '../../functions/auth/register-user.ts'
import type { NewApiToken } from '../../shared/domain/auth/api-token.ts'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import type { Scope } from '../../shared/domain/scopes.ts'
import { systemIds } from '../../shared/kit/system.ts'
import type { IdentityWorld } from './identity-world.ts'

/** Somebody who has signed in and can make API tokens. */
export async function tokenOwner(world: IdentityWorld) {
  const email = `${systemIds.uuid()}@example.org`
  const password = 'correct horse battery staple'
  const peer = `2001:db8:${systemIds.hex(2)}:${systemIds.hex(2)}::1`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password }, peer })
  const session = body.access_token
  return {
    id: body.user.id,
    email,
    password,
    session,
    signIn: async () =>
      (await world.call<SignedIn>(logIn, { json: { email, password }, peer })).body.access_token,
    make: (json: object) =>
      world.call<NewApiToken & { code?: string }>(createApiToken, { token: session, json }),
    token: async (...scopes: Scope[]): Promise<NewApiToken> =>
      (
        await world.call<NewApiToken>(createApiToken, {
          token: session,
          json: { name: systemIds.uuid(), scopes },
        })
      ).body,
  }
}
