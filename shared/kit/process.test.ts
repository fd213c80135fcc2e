import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { explain } from './process.ts'

const SCRIPT = `
import { exitOnSignal } from ${JSON.stringify(new URL('./process.ts', import.meta.url).href)}
exitOnSignal(async () => {
  console.log('closing')
  await new Promise((resolve) => setTimeout(resolve, Number(process.argv[1])))
  console.log('closed')
})
setInterval(() => {}, 1000)
console.log('ready')`

/** A process that takes so long to close. */
async function start(closesInMs: number) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, String(closesInMs)])
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const says = async (word: string) => {
    while (!output.includes(`${word}\n`)) await once(child.stdout, 'data')
  }
  await says('ready')
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number, output }))
  return { child, says, ended }
}

describe('a process that is asked to stop', () => {
  it('closes what is open, also when npm sends on the Ctrl-C that the terminal has sent already', async () => {
    const { child, ended } = await start(200)
    child.kill('SIGINT')
    child.kill('SIGINT')
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, output: 'ready\nclosing\nclosed\n' })
  })

  it('ends at once when it is asked again later', async () => {
    const { child, says, ended } = await start(60_000)
    child.kill('SIGINT')
    await says('closing')
    await delay(600)
    child.kill('SIGINT')
    expect(await ended).toEqual({ code: 1, output: 'ready\nclosing\n' })
  })
})

describe('an error that is explained', () => {
  it('is about the database when its socket is missing', async () => {
    const [error] = await once(connect('/nowhere/.s.PGSQL.5432'), 'error').catch((refusal: unknown) => [
      refusal,
    ])
    expect(explain(error)).toContain('the database cannot be reached (ENOENT); check DATABASE_URL')
  })

  it('names the program that is not installed', async () => {
    const [error] = await once(spawn('/nowhere/program'), 'error').catch((refusal: unknown) => [refusal])
    expect(explain(error)).toBe(
      'the program /nowhere/program is not found; install it, or put its folder on PATH.',
    )
  })

  it.each([
    ['below a file', '/dev/null/daybook', 'ENOTDIR'],
    ['where the system allows none', '/proc/daybook', 'ENOENT'],
  ])('names the folder that cannot be made %s, and the setting for another', async (_, path, code) => {
    const error: unknown = await mkdir(path).catch((refusal: unknown) => refusal)
    expect(explain(error)).toBe(
      `cannot write ${path} (${code}); check its owner and mode, or set DAYBOOK_DATA_DIR to another folder.`,
    )
  })

  it('names the file that is missing', async () => {
    const error: unknown = await readFile('/nowhere/settings.json').catch((refusal: unknown) => refusal)
    expect(explain(error)).toMatch(/no such file .*\/nowhere\/settings.json/)
  })
})
