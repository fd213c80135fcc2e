import { createHash } from 'node:crypto'

/** The same for the same bytes, to know a repetition by where nothing else tells. */
export const contentId = (content: string | Buffer): string =>
  `content-${createHash('sha256').update(content).digest('hex').slice(0, 32)}`
