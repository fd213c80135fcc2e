import { successCounts } from '../../../domain/auth/identity-throttle.ts'
import { CODE_SECONDS, type OauthClient } from '../../../domain/auth/oauth.ts'
import { LoginSucceeded } from '../../../domain/events.ts'
import type { Scope } from '../../../domain/scopes.ts'
import { admitAttempt } from '../admit-attempt.ts'
import { commitIdentity, eventsAbout, userView, type Signing } from '../auth-events.ts'
import type { AuthCall } from '../ports.ts'
import { provePassword, wrongCredentials } from '../prove-password.ts'

interface Granted {
  client: OauthClient
  redirectUri: string
  challenge: string
  scopes: Scope[]
}

/** A code for a program, by whoever knows the password; refused as a sign-in is. */
export const letClientIn = (
  deps: Signing,
  call: AuthCall,
  who: { email: string; password: string },
  { client, redirectUri, challenge, scopes }: Granted,
): Promise<string> =>
  admitAttempt(deps, call, async () => {
    const { user, passwordHash, keys } = await provePassword(deps, call, { email: who.email }, [who.password])
    const outcome = await commitIdentity(deps, {
      userId: user.id,
      at: call.now,
      provedPassword: { userId: user.id, passwordHash },
      forgiven: [keys.accountAndClient],
      counts: successCounts(keys, call.now, user.id),
      events: eventsAbout(deps, call, user.id, userView(user.id))([LoginSucceeded]),
    })
    if (outcome !== 'applied') throw wrongCredentials()
    return deps.identity.links.authorizationCode({
      sessionId: deps.ids.uuid(),
      userId: user.id,
      userVersion: user.version,
      clientId: client.id,
      redirectUri,
      challenge,
      scopes,
      expiresAt: call.now.getTime() + CODE_SECONDS * 1000,
    })
  })
