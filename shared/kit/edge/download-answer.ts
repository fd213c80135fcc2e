import type { Context } from 'hono'

/** By the extension of the file: what a browser makes a file of. */
export const DOWNLOAD_TYPES = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
} as const
export type DownloadExtension = keyof typeof DOWNLOAD_TYPES

/** Answers with a document for a file of this name, whose pieces are read as they are taken; null for HEAD. */
export function downloadAnswer(
  c: Context,
  { name, extension }: { name: string; extension: DownloadExtension },
  pieces: AsyncIterable<string> | null,
): Response {
  const headers = {
    'content-type': DOWNLOAD_TYPES[extension],
    'content-disposition': `attachment; filename="${name}.${extension}"`,
  }
  if (pieces === null) return c.body(null, 200, headers)
  return c.body(ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()), 200, headers)
}
