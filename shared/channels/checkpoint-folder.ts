import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckpointCopies } from '../app/audit/ports.ts'

const DIGITS = 15

const checkpointFile = (size: number): string => `${String(size).padStart(DIGITS, '0')}.checkpoint`

/** A file for each checkpoint in a folder that belongs on other storage than the database; nowhere without a folder. */
export function createCheckpointFolder(folder: string | undefined): CheckpointCopies {
  return {
    async keep({ size, note }) {
      if (folder === undefined) return
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, checkpointFile(size))
      const draft = await open(`${path}.part`, 'w', 0o600)
      try {
        await draft.writeFile(note)
        await draft.sync()
      } finally {
        await draft.close()
      }
      await rename(`${path}.part`, path)
    },
  }
}
