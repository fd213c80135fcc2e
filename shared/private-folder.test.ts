import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ownFolder, privateFolder } from './private-folder.ts'

const STRANGER = 54_321
const isRoot = process.getuid?.() === 0

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'private-folder-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const modeOf = (path: string) => lstatSync(path).mode & 0o7777

describe.each([
  ['a private folder', privateFolder],
  ['a folder of our own', ownFolder],
])('%s', (_, prepare) => {
  it('is made, with those above it, and taken again', () => {
    const path = join(place(), 'a', 'b')
    prepare(path)
    prepare(path)
    expect(modeOf(path) & 0o066).toBe(0)
  })

  it('is no link: what it leads to keeps its owner and its mode', () => {
    const victim = place()
    chmodSync(victim, 0o755)
    const path = join(place(), 'link')
    symlinkSync(victim, path)
    const before = lstatSync(victim)
    expect(() => prepare(path)).toThrow('it is a symbolic link')
    expect(lstatSync(victim)).toEqual(before)
  })

  it('is no link to nowhere, which would be made for whoever has put it there', () => {
    const elsewhere = join(place(), 'elsewhere')
    const path = join(place(), 'link')
    symlinkSync(elsewhere, path)
    expect(() => prepare(path)).toThrow('it is a symbolic link')
    expect(lstatSync(elsewhere, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('is no file', () => {
    const path = join(place(), 'file')
    writeFileSync(path, '')
    expect(() => prepare(path)).toThrow('it is no folder')
  })

  it('is not one in which others can write, and is left as it is', () => {
    const path = join(place(), 'open')
    mkdirSync(path)
    chmodSync(path, 0o777)
    expect(() => prepare(path)).toThrow('refused the folder')
    expect(modeOf(path)).toBe(0o777)
  })

  // Only root can make a folder of somebody else's to try it with.
  it.runIf(isRoot)('is not somebody else’s, and stays theirs', () => {
    const path = join(place(), 'theirs')
    mkdirSync(path, { mode: 0o700 })
    chownSync(path, STRANGER, STRANGER)
    expect(() => prepare(path)).toThrow(`it belongs to user ${STRANGER}`)
    expect(lstatSync(path).uid).toBe(STRANGER)
  })
})

it('a private folder is not one that others can enter', () => {
  const path = join(place(), 'readable')
  mkdirSync(path)
  chmodSync(path, 0o755)
  expect(() => privateFolder(path)).toThrow('other users can enter it; chmod 700 it.')
  expect(modeOf(path)).toBe(0o755)
  expect(() => ownFolder(path)).not.toThrow()
})

it.runIf(isRoot)(
  'root hands a private folder to whom it is for, also one that it made and did not hand over',
  () => {
    const path = join(place(), 'handed')
    mkdirSync(path, { mode: 0o700 })
    privateFolder(path, STRANGER)
    privateFolder(path, STRANGER)
    expect([lstatSync(path).uid, modeOf(path)]).toEqual([STRANGER, 0o700])
    expect(() => privateFolder(path)).toThrow(`it belongs to user ${STRANGER}`)
  },
)
