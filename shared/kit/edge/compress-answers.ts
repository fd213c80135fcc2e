import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import type { Deps } from '../../app/ports.ts'
import type { AppEnv } from '../base-app.ts'
import { isFromSidecar } from '../sidecar-only.ts'

/** What is smaller fits into a packet or two as it is. */
export const MIN_BYTES = 2048
/** What is larger keeps the processor for too long; lists end at about 1 MiB. */
const MAX_BYTES = 4 * 1024 * 1024

const TEXTS = /^(application\/json|text\/(html|css|javascript))\b/
const compress = promisify(gzip)

/**
 * Compresses what is large and was asked for by GET. Answers that hold a secret are small, versioned or made by POST, so that
 * none can be guessed by the length of what is compressed with it (BREACH); a strong ETag would not be true of both
 * forms. One at a time and fast rather than well: meanwhile others go out as they are, and never take more than one processor.
 */
export function compressAnswers({ settings }: Pick<Deps, 'settings'>): MiddlewareHandler<AppEnv> {
  let isBusy = false
  return async function compressAnswers(c, next) {
    await next()
    const { status, headers } = c.res
    const bytes = Number(headers.get('content-length') ?? 0)
    if (c.req.method !== 'GET' || status !== 200 || bytes < MIN_BYTES || bytes > MAX_BYTES) return
    if (
      headers.has('etag') ||
      headers.has('content-encoding') ||
      !TEXTS.test(headers.get('content-type') ?? '')
    )
      return
    headers.append('vary', 'accept-encoding')
    // The gateway would have to unpack it.
    if (isBusy || !takesGzip(c.req.header('accept-encoding')) || isFromSidecar(settings, c)) return
    isBusy = true
    try {
      const body = await compress(await c.res.arrayBuffer(), { level: constants.Z_BEST_SPEED })
      const compressed = new Headers(headers)
      compressed.set('content-encoding', 'gzip')
      compressed.set('content-length', String(body.length))
      c.res = undefined
      c.res = new Response(body, { status, headers: compressed })
    } finally {
      isBusy = false
    }
  }
}

/** RFC 9110 §12.5.3, for the one coding there is. */
function takesGzip(accepted = ''): boolean {
  const found = /(?:^|,)\s*gzip\s*(?:;\s*q=([\d.]+)\s*)?(?:,|$)/i.exec(accepted)
  return found !== null && Number(found[1] ?? 1) > 0
}
