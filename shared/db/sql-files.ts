import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

export interface SqlFile {
  /** Without `.sql`. */
  name: string
  text: string
  /** SHA-256 of the text. */
  checksum: string
}

/** The `.sql` files of a folder in the order of their names. */
export const readSqlFiles = (directory: URL): SqlFile[] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => {
      const text = readFileSync(new URL(file, directory), 'utf8')
      const checksum = createHash('sha256').update(text).digest('hex')
      return { name: file.replace(/\.sql$/, ''), text, checksum }
    })
