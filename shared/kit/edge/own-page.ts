import type { Context } from 'hono'
import type { Settings } from '../../app/ports.ts'

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/

/**
 * Whether a request comes to a name of ours, and from no page but ours and those that CORS_ORIGINS names. A page of another host
 * whose name was made to lead here (DNS rebinding) says that name in Host; programs send no Origin.
 */
export function isOwnPage(
  { issuer, corsOrigins }: Pick<Settings, 'issuer' | 'corsOrigins'>,
  c: Context,
): boolean {
  const own = /^https?:/.test(issuer) ? new URL(issuer) : null
  const isOwn = (hostname: string) => LOOPBACK.test(hostname) || hostname === own?.hostname
  const host = c.req.header('host')
  if (host !== undefined && !isOwn(host.replace(/:\d+$/, '').toLowerCase())) return false
  const origin = c.req.header('origin')
  if (origin === undefined || corsOrigins.includes(origin) || origin === own?.origin) return true
  return URL.canParse(origin) && LOOPBACK.test(new URL(origin).hostname)
}
