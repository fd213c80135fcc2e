import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

/**
 * Signed notes and checkpoints as C2SP describes them (c2sp.org/signed-note, c2sp.org/tlog-checkpoint). Keys have the text of
 * Go's golang.org/x/mod/sumdb/note, so that its programs make and read them.
 */
export interface NoteKey {
  /** Of the log that it signs for, as `daybook.example.org/audit`. */
  name: string
  id: Buffer
  key: KeyObject
}

export interface Checkpoint {
  origin: string
  size: number
  root: Buffer
}

const ED25519 = 1
const PRIVATE = 'PRIVATE+KEY+'
/** What stands before the 32 bytes of a key in DER (RFC 8410 §10). */
const [PKCS8, SPKI] = ['302e020100300506032b657004220420', '302a300506032b6570032100'].map((text) =>
  Buffer.from(text, 'hex'),
) as [Buffer, Buffer]

const keyId = (name: string, publicKey: Buffer): Buffer =>
  createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.of(ED25519))
    .update(publicKey)
    .digest()
    .subarray(0, 4)

const rawPublic = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)

const privateOf = (seed: Buffer) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

const keyText = (name: string, id: Buffer, raw: Buffer): string =>
  `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.of(ED25519), raw]).toString('base64')}`

/** The text of a signing key made of 32 random bytes. */
export function signingKeyText(name: string, seed: Buffer): string {
  return PRIVATE + keyText(name, keyId(name, rawPublic(privateOf(seed))), seed)
}

/** Null for what is no signing key. */
export function readSigningKey(text: string): NoteKey | null {
  const parts = text.startsWith(PRIVATE) ? partsOf(text.slice(PRIVATE.length)) : null
  if (!parts) return null
  const key = privateOf(parts.raw)
  return isOwnId(parts, rawPublic(key)) ? { name: parts.name, id: parts.id, key } : null
}

/** What others verify with. */
export const verifierText = ({ name, id, key }: NoteKey): string => keyText(name, id, rawPublic(key))

export function readVerifier(text: string): NoteKey | null {
  const parts = partsOf(text)
  if (!parts || !isOwnId(parts, parts.raw)) return null
  const key = createPublicKey({ key: Buffer.concat([SPKI, parts.raw]), format: 'der', type: 'spki' })
  return { name: parts.name, id: parts.id, key }
}

interface KeyParts {
  name: string
  id: Buffer
  raw: Buffer
}

function partsOf(text: string): KeyParts | null {
  const [, name, id, key] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text.trim()) ?? []
  const [kind, ...raw] = Buffer.from(key ?? '', 'base64')
  if (name === undefined || id === undefined || kind !== ED25519 || raw.length !== 32) return null
  return { name, id: Buffer.from(id, 'hex'), raw: Buffer.from(raw) }
}

const isOwnId = ({ name, id }: KeyParts, publicKey: Buffer): boolean => keyId(name, publicKey).equals(id)

/** The checkpoint as a note signed with this key, whose name is the origin. */
export function signCheckpoint(
  { name, id, key }: NoteKey,
  { size, root }: Omit<Checkpoint, 'origin'>,
): string {
  const text = `${name}\n${size}\n${root.toString('base64')}\n`
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64')
  return `${text}\n— ${name} ${signature}\n`
}

/** The checkpoint of a note that one of these keys has signed; null when none has, or a signature of theirs is wrong. */
export function openCheckpoint(keys: readonly NoteKey[], note: string): Checkpoint | null {
  const [, text, lines] = /^([^]*\n)\n((?:— [^\n]+\n)+)$/.exec(note) ?? []
  const [, origin, size, root] =
    /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text ?? '') ?? []
  if (text === undefined || lines === undefined || origin === undefined) return null
  const verdicts = lines
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [, name, signature] = line.split(' ')
      const bytes = Buffer.from(signature ?? '', 'base64')
      const key = keys.find((one) => one.name === name && one.id.equals(bytes.subarray(0, 4)))
      return key ? [verify(null, Buffer.from(text), key.key, bytes.subarray(4))] : []
    })
  if (verdicts.length === 0 || verdicts.includes(false)) return null
  return { origin, size: Number(size), root: Buffer.from(root!, 'base64') }
}
