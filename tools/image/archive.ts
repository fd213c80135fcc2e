import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack, type Pack } from 'tar-stream'

/** The folder as a tar that depends on names, contents and executability alone: not on times, owners or the order on disk. */
export function archiveOf(folder: string): Pack {
  const tar = pack()
  addAll(tar, folder, '').then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error as Error),
  )
  return tar
}

const OWNER = { uid: 0, gid: 0, mtime: new Date(0) }

async function addAll(tar: Pack, folder: string, below: string): Promise<void> {
  for (const entry of readdirSync(join(folder, below)).toSorted()) {
    const name = below === '' ? entry : `${below}/${entry}`
    const path = join(folder, name)
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) {
      tar.entry({ ...OWNER, name, type: 'symlink', mode: 0o777, linkname: readlinkSync(path) })
    } else if (stat.isDirectory()) {
      tar.entry({ ...OWNER, name: `${name}/`, type: 'directory', mode: stat.mode & 0o1000 ? 0o1777 : 0o755 })
      await addAll(tar, folder, name)
    } else if (stat.isFile()) {
      const mode = stat.mode & 0o100 ? 0o755 : 0o644
      await pipeline(createReadStream(path), tar.entry({ ...OWNER, name, mode, size: stat.size }))
    } else throw new Error(`${path} is no file, folder or symbolic link.`)
  }
}
