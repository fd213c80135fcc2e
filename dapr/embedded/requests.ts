import { apiError, messageOf } from './errors.ts'

const MAX_BODY_BYTES = 4 * 1024 * 1024

export function queryMetadata(request: Request): Record<string, string> {
  const metadata: Record<string, string> = {}
  for (const [name, value] of new URL(request.url).searchParams) {
    const key = name.startsWith('metadata.') ? name.slice('metadata.'.length) : ''
    if (key !== '' && !(key in metadata)) metadata[key] = value
  }
  return metadata
}

/** The body, at most 4 MiB as daprd's `--max-body-size`. Rejects with an Error beyond that. */
export async function readBody(request: Request): Promise<Uint8Array> {
  const body = new Uint8Array(await request.arrayBuffer())
  if (body.byteLength > MAX_BODY_BYTES) throw new Error('stream too large')
  return body
}

/** The body as text. Throws `ERR_BODY_READ` when it is too large. */
export async function readText(request: Request): Promise<string> {
  const body = await readBody(request).catch((error: unknown) => {
    throw apiError(400, 'ERR_BODY_READ', `failed to read request body: ${messageOf(error)}`)
  })
  return new TextDecoder().decode(body)
}
