import { clientOf, type OauthClient } from '../../../domain/auth/oauth.ts'
import { invalidField } from '../../../domain/errors.ts'
import { parseJson } from '../../../domain/parse-json.ts'
import type { Deps } from '../../ports.ts'

/** The client that a URL stands for, as its document says now. `request.invalid` where there is none. */
export async function loadClient(
  { clientDocuments }: Pick<Deps, 'clientDocuments'>,
  id: string,
): Promise<OauthClient> {
  const objection = clientDocuments.objection(id)
  if (objection !== null) throw invalidField('client_id', objection)
  if (new URL(id).pathname === '/') throw invalidField('client_id', 'must be a URL with a path')
  const text = await clientDocuments.read(id)
  if (text === null) throw invalidField('client_id', 'leads to no document')
  return clientOf(id, parseJson(text))
}
