import { createClient } from './http.ts'

export interface Account {
  name: string
  email: string
  password: string
  id: string
  token: string
  refreshToken: string
}

export interface Session {
  access_token: string
  refresh_token: string
  user: { id: string; email: string }
}

/** Registers a user at an address of their own behind the proxy. */
export async function signUp(url: string, name: string, forwardedFor: string): Promise<Account> {
  const client = createClient(url, { connections: 1, forwardedFor })
  const login = { email: `${name}@innocent.example`, password: `password of ${name}` }
  const { status, body } = await client.ask('POST', '/api/auth/register', { json: login })
  await client.close()
  if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`)
  const account = { name, ...login, id: (body as Session).user.id, token: '', refreshToken: '' }
  return continued(account, body as Session)
}

/** The account goes on with the tokens of a new session. */
export function continued(account: Account, session: Session): Account {
  account.token = session.access_token
  account.refreshToken = session.refresh_token
  return account
}
