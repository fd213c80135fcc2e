import { constants } from 'node:fs'
import { copyFile, lchown, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

interface CopyOptions {
  /** By path below the folder; a folder that is left out is made all the same, without what is in it. */
  isLeftOut?: (path: string) => boolean
  /** Who the copies belong to, where that is not who makes them. */
  owner?: number | undefined
}

/**
 * Copies a folder, with everything on disk when it returns. A file that goes while it is copied is left out: PostgreSQL
 * removes files at any time, and its log says so.
 */
export async function copyFiles(
  from: string,
  to: string,
  { isLeftOut = () => false, owner }: CopyOptions = {},
): Promise<void> {
  const give = async (path: string) => {
    if (owner !== undefined) await lchown(path, owner, owner)
  }
  const copyFolder = async (below: string): Promise<void> => {
    await mkdir(join(to, below), { recursive: true, mode: 0o700 })
    await give(join(to, below))
    if (isLeftOut(below)) return
    const entries = await readdir(join(from, below), { withFileTypes: true })
    // Side by side: what is flushed together reaches the disk together.
    await Promise.all(
      entries.map(async (entry) => {
        const path = join(below, entry.name)
        if (entry.isDirectory()) await copyFolder(path)
        else if (!isLeftOut(path)) await copyOne(path).catch(unlessGone(join(to, path)))
      }),
    )
    await flush(join(to, below))
  }
  const copyOne = async (path: string): Promise<void> => {
    await copyFile(join(from, path), join(to, path), constants.COPYFILE_FICLONE)
    await give(join(to, path))
    await flush(join(to, path))
  }
  await copyFolder('')
}

const unlessGone = (copy: string) => async (error: unknown) => {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  await rm(copy, { force: true })
}

export async function flush(path: string): Promise<void> {
  const handle = await open(path)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
