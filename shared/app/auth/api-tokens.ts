import {
  API_TOKEN_PREFIX,
  apiTokenView,
  decideApiToken,
  MAX_API_TOKENS,
  refuseAgents,
  type ApiTokenInput,
  type ApiTokenList,
  type NewApiToken,
} from '../../domain/auth/api-token.ts'
import { sessionEnded } from '../../domain/auth/identity-session.ts'
import { DomainError } from '../../domain/errors.ts'
import { TokenCreated, TokenRevoked } from '../../domain/events.ts'
import type { Actor, Answer, Deps } from '../ports.ts'
import { commitIdentity, eventsAbout, type Signing } from './auth-events.ts'
import type { AuthCall } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'

/** A token for a program of the caller; nobody sees it again. Of two with one name the second is refused. */
export async function createApiToken(
  deps: Signing,
  call: AuthCall,
  actor: Actor,
  input: ApiTokenInput,
): Promise<Answer<NewApiToken>> {
  refuseAgents(actor)
  const { userId, view } = actor
  const token = API_TOKEN_PREFIX + deps.ids.hex(32)
  const made = { id: deps.ids.uuid(), userId, digest: digestOf(token), now: call.now }
  const newApiToken = decideApiToken(input, made)
  const { id, name, scopes } = newApiToken
  const outcome = await commitIdentity(deps, {
    userId,
    at: call.now,
    newApiToken: { token: newApiToken, most: MAX_API_TOKENS },
    events: eventsAbout(
      deps,
      call,
      userId,
      view,
    )([TokenCreated, { kind: 'api', token: { id, name, scopes } }]),
  })
  if (outcome === 'name_taken') {
    throw new DomainError('token.name_taken', 'Another token of yours has this name.', {
      errors: [{ path: 'name', message: 'is the name of another token' }],
    })
  }
  if (outcome === 'too_many') {
    throw new DomainError('token.too_many', `At most ${MAX_API_TOKENS} tokens are kept; revoke one first.`)
  }
  if (outcome !== 'applied') throw sessionEnded() // with the account
  return { body: { ...apiTokenView(newApiToken), token } }
}

export async function listApiTokens(
  { identity, clock }: Pick<Deps, 'identity' | 'clock'>,
  { userId }: Actor,
): Promise<Answer<ApiTokenList>> {
  const tokens = await identity.store.listApiTokens(userId, clock.now())
  return { body: { items: tokens.map(apiTokenView) } }
}

/** From then on no request with it is answered, anywhere. */
export async function revokeApiToken(
  deps: Signing,
  call: AuthCall,
  actor: Actor,
  id: string,
): Promise<Answer<null>> {
  refuseAgents(actor)
  const { userId, view } = actor
  const outcome = await commitIdentity(deps, {
    userId,
    at: call.now,
    revokedApiToken: id,
    events: eventsAbout(
      deps,
      call,
      userId,
      view,
    )([TokenRevoked, { reason: 'api_token_revoked', token_id: id }]),
  })
  if (outcome !== 'applied') throw new DomainError('token.not_found', 'There is no such token.')
  return { body: null }
}
