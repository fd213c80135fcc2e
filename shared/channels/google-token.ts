import { importPKCS8, SignJWT } from 'jose'
import { z } from 'zod'
import type { DaprClient } from '../dapr/client.ts'
import { MINUTE_MS } from '../domain/durations.ts'
import { ChannelError } from './answered.ts'
import type { SafeFetch } from './safe-fetch.ts'

const SECRET_STORE = 'secretstore'
const SECRET = 'fcmserviceaccount'
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ASSERTION_S = 60 * 60
/** A token is replaced so long before it ends. */
const MARGIN_MS = 5 * MINUTE_MS

/** The part of a service account's key file that is needed. */
const ServiceAccount = z.object({ client_email: z.string(), private_key: z.string(), token_uri: z.url() })
const TokenAnswer = z.object({ access_token: z.string(), expires_in: z.number() })

export interface GoogleToken {
  /** Rejects when the secret store or Google is away or does not know the account. */
  get(): Promise<string>
  /** Says that this token was refused. Another one, that has come since, stays. */
  forget(token: string): void
}

/**
 * Access tokens of the service account in the secret fcmserviceaccount, by the JWT bearer grant (RFC 7523; Google's
 * "Using OAuth 2.0 for Server to Server Applications"). One token serves all until shortly before it ends.
 */
export function createGoogleToken(
  secrets: Pick<DaprClient['secrets'], 'get'>,
  { post }: Pick<SafeFetch, 'post'>,
  clock: { now(): Date },
): GoogleToken {
  let known: { token: string; until: number } | undefined
  let asking: Promise<string> | undefined

  async function ask(): Promise<string> {
    const { [SECRET]: json = '' } = await secrets.get(SECRET_STORE, SECRET)
    const account = readAccount(json)
    const askedAt = clock.now().getTime()
    const issuedAt = Math.floor(askedAt / 1000)
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(account.client_email)
      .setAudience(account.token_uri)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ASSERTION_S)
      .sign(await importPKCS8(account.private_key, 'RS256'))
    const answer = await post(account.token_uri, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
    })
    if (answer.status !== 200) throw new ChannelError(`the token endpoint of FCM answered ${answer.status}`)
    const { access_token: token, expires_in: seconds } = TokenAnswer.parse(JSON.parse(answer.body))
    known = { token, until: askedAt + seconds * 1000 - MARGIN_MS }
    return token
  }

  return {
    get: async () => {
      if (known && known.until > clock.now().getTime()) return known.token
      asking ??= ask().finally(() => (asking = undefined))
      return await asking
    },
    forget: (token) => {
      if (known?.token === token) known = undefined
    },
  }
}

// What is wrong with a secret is told without the secret.
function readAccount(json: string): z.infer<typeof ServiceAccount> {
  try {
    return ServiceAccount.parse(JSON.parse(json))
  } catch {
    throw new ChannelError(`the secret ${SECRET} is not the key file of a service account`)
  }
}
