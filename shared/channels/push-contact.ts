import { isIP } from 'node:net'
import { addressOf } from './send-mail.ts'

export const NO_PUSH_CONTACT =
  'web push is not configured: set PUBLIC_URL (https) or MAIL_FROM to an address that is public'

/** Names that lead nowhere from outside (RFC 6761, 6762, 8375). */
const LOCAL_NAMES = /(^|\.)(localhost|local|internal|invalid|test|home\.arpa)\.?$/i

/**
 * Where a push service reaches whoever runs this (`sub`, RFC 8292 §2.1): the https address of this Daybook, else the sender of
 * its mail; null when neither is public. Apple refuses every message that names localhost.
 */
export function pushContact({
  publicUrl,
  mailFrom,
}: {
  publicUrl: string | undefined
  mailFrom: string
}): string | null {
  if (publicUrl?.startsWith('https:') && isPublic(new URL(publicUrl).hostname)) return publicUrl
  const address = addressOf(mailFrom)
  return isPublic(address.split('@')[1] ?? '') ? `mailto:${address}` : null
}

const isPublic = (host: string): boolean => host.includes('.') && isIP(host) === 0 && !LOCAL_NAMES.test(host)
