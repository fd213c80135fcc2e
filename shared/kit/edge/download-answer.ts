import type { Context } from 'hono'

/** Answers with a JSON document for a file of this name, whose pieces are read as they are taken; null for HEAD. */
export function downloadAnswer(c: Context, name: string, pieces: AsyncIterable<string> | null): Response {
  const headers = {
    'content-type': 'application/json',
    'content-disposition': `attachment; filename="${name}"`,
  }
  if (pieces === null) return c.body(null, 200, headers)
  return c.body(ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()), 200, headers)
}
