import { DomainError } from '../domain/errors.ts'
import { meView, type MeView } from '../domain/identity.ts'
import type { Actor, Answer, Deps } from './ports.ts'

/** The account of the caller. */
export async function getMe(deps: Pick<Deps, 'identity'>, actor: Actor): Promise<Answer<MeView>> {
  const user = await deps.identity.store.findUser(actor.userId)
  if (!user) throw new DomainError('auth.invalid_token', 'The account of this token is gone.')
  return { body: meView(user) }
}
