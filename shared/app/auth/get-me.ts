import { meView, type MeView } from '../../domain/auth/identity.ts'
import { findOwner } from './account/owner.ts'
import type { Actor, Answer, Deps } from '../ports.ts'

export async function getMe(deps: Pick<Deps, 'identity'>, actor: Actor): Promise<Answer<MeView>> {
  return { body: meView(await findOwner(deps, actor)) }
}
