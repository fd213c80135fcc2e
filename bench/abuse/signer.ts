import { continued, signUp, type Session } from './account.ts'
import { differenceOf, expecting } from './expect.ts'
import { createClient } from './http.ts'
import type { Notes } from './observed.ts'

export interface Innocent {
  /** Does the next thing that people do, and checks the answer. */
  act(): Promise<unknown>
  close(): Promise<void>
}

/** A user who signs in and out with the right password, always where they did before or each time somewhere else. */
export async function createSigner(
  url: string,
  { name, notes, isAtHome }: { name: string; notes: Notes; isAtHome: boolean },
): Promise<Innocent> {
  const account = await signUp(url, name, isAtHome ? '10.3.0.1' : '10.3.0.2')
  const { id, email, password } = account
  let visits = 0
  return {
    async act() {
      const nth = isAtHome ? 1 : (visits += 1) + 2
      const forwardedFor = `10.3.${Math.floor(nth / 250)}.${nth % 250}`
      const client = createClient(url, { connections: 1, forwardedFor })
      const expect = expecting(client, account, notes)
      const { isRight, body } = await expect<Session>(
        isAtHome ? 'sign-in' : 'sign-in elsewhere',
        ['POST', '/api/auth/login', { email, password }],
        { check: ({ user }) => differenceOf(user, { id, email }) },
      )
      if (isRight) {
        const { refreshToken } = continued(account, body)
        await expect('sign-out', ['POST', '/api/auth/logout', { refresh_token: refreshToken }], {
          status: 204,
        })
      }
      await client.close()
    },
    close: async () => {},
  }
}
