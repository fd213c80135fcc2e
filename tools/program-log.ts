import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const MAX_BYTES = 1_048_576
const MAX_LINE_LENGTH = 400

export interface End {
  code: number | null
  signal: NodeJS.Signals | null
}

/** The text of a file from byte `start` on, at most its last megabyte. */
export function readFrom(path: string, start: number): string {
  const descriptor = openSync(path, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const from = Math.max(start, size - MAX_BYTES)
    const buffer = Buffer.alloc(Math.max(0, size - from))
    const read = readSync(descriptor, buffer, 0, buffer.length, from)
    return buffer.toString('utf8', 0, read)
  } finally {
    closeSync(descriptor)
  }
}

/** The last line that speaks of an error, or else the last line; what Dapr puts in `msg="…"` without the rest. */
export function worstLine(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const line =
    lines.findLast((text) => /\b(fatal|panic|error)\b|level=fatal|Exception:/i.test(text)) ?? lines.at(-1)
  if (line === undefined) return undefined
  const message = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll(/\\(.)/g, '$1')
  return (message ?? line.trim()).slice(0, MAX_LINE_LENGTH)
}

export function describeEnd({ code, signal }: End): string {
  return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`
}
