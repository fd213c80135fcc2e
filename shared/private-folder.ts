import { lchownSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Bits of a mode: what others must not have. */
const TO_WRITE = 0o022
const TO_ENTER = 0o077

class FolderError extends Error {
  readonly code = 'folder.unsafe'
  constructor(path: string, fault: string, remedy: string) {
    super(`refused the folder ${path}: ${fault}; ${remedy}.`)
    this.name = 'FolderError'
  }
}

/** The user this process works as; undefined where the system has no such numbers (Windows). */
const ownUser = (): number | undefined => process.getuid?.()

/**
 * Makes a folder that its owner alone can enter, or takes one that is so already. What somebody else has put there, a link
 * above all, is refused and left as it is: whoever follows it as root would give away the folder it leads to.
 * `owner` is for root only, who hands a new folder to the user that will work in it.
 */
export function privateFolder(path: string, owner = ownUser()): void {
  makeFolder(path, 0o700)
  const found = checkFolder(path, { owners: [owner, ownUser()], forbidden: TO_ENTER })
  // Made just now, or by a predecessor that came no further. Nobody else can have put a folder of ours here.
  if (owner !== undefined && found.uid !== owner) lchownSync(path, owner, owner)
}

/**
 * The same for a folder that holds private ones: others may not write in it. Under root they can pass it, because
 * PostgreSQL works in it as another user.
 */
export function ownFolder(path: string): void {
  makeFolder(path, ownUser() === 0 ? 0o711 : 0o700)
  checkFolder(path, { owners: [ownUser()], forbidden: TO_WRITE })
}

function makeFolder(path: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode })
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function checkFolder(path: string, rule: { owners: (number | undefined)[]; forbidden: number }) {
  const found = lstatSync(path)
  if (found.isSymbolicLink()) throw new FolderError(path, 'it is a symbolic link', 'name the folder itself')
  if (!found.isDirectory()) throw new FolderError(path, 'it is no folder', 'remove it or name another')
  if (ownUser() === undefined) return found
  if (!rule.owners.includes(found.uid)) {
    throw new FolderError(
      path,
      `it belongs to user ${found.uid}`,
      'work as that user, or name another folder',
    )
  }
  if (found.mode & rule.forbidden) {
    const others = rule.forbidden === TO_WRITE ? 'write in it' : 'enter it'
    throw new FolderError(
      path,
      `other users can ${others}`,
      `chmod ${rule.forbidden === TO_WRITE ? 'go-w' : '700'} it`,
    )
  }
  return found
}
