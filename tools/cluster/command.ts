import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { systemEnvironment } from '../../shared/config.ts'
import { ProgramError } from '../program-error.ts'

/** Runs a program that takes a moment, and returns what it printed. */
export function runNow(command: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    input,
    env: systemEnvironment(),
    maxBuffer: 256 * 1024 * 1024,
  })
  if (error || status !== 0) throw failed(command, args, stderr || stdout || String(error))
  return stdout
}

/** Whether it succeeds. */
export const succeeds = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', env: systemEnvironment() }).status === 0

export interface RunOptions {
  input?: string | Readable
  env?: Record<string, string>
  timeoutMs?: number
}

/** The same beside other work. */
export async function run(
  command: string,
  args: readonly string[],
  { input, env, timeoutMs }: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    env: { ...systemEnvironment(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
  })
  const output = Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')])
  // A program that ends before it has read all says why in its output.
  const fed = typeof input === 'object' ? pipeline(input, child.stdin).catch(() => {}) : undefined
  if (fed === undefined) child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr, [code]] = await output
  await fed
  if (code !== 0) throw failed(command, args, String(stderr) || String(stdout))
  return String(stdout)
}

const failed = (command: string, args: readonly string[], reason: string): ProgramError =>
  new ProgramError(
    'program.ended',
    `${command.split('/').at(-1)} ${args.slice(0, 6).join(' ')}: ${reason.trim().slice(-2000)}`,
  )
