import type { Context } from 'hono'
import type { Actor, Deps } from '../../app/ports.ts'
import { bearerToken } from '../../identity/authenticate.ts'
import type { AppEnv } from '../base-app.ts'

/** Counts the request against its user, or against its address when nobody signs in. */
export async function signIn(c: Context<AppEnv>, authenticate: () => Promise<Actor>): Promise<Actor> {
  const limit = c.get('requestLimit')
  try {
    const actor = await authenticate()
    c.set('userId', actor.userId)
    limit.ofUser(actor.userId)
    return actor
  } catch (error) {
    limit.ofAddress()
    throw error
  }
}

export const signInByToken = (c: Context<AppEnv>, deps: Pick<Deps, 'authenticate'>): Promise<Actor> =>
  signIn(c, () =>
    Promise.resolve(bearerToken(c)).then((token) =>
      deps.authenticate(token, c.get('requestLimit').admitLookup),
    ),
  )
