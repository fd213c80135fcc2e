import { fork } from 'node:child_process'
import { once } from 'node:events'
import { inheritedEnvironment } from '../../shared/config.ts'

/** A process that answers questions over IPC, with its own event loop and memory. */
export interface Child {
  /** What the child said when it was ready. */
  ready: Record<string, string>
  pid: number
  ask<Answer>(name: string, data?: unknown): Promise<Answer>
  stop(): Promise<void>
}

type Answers = Record<string, (data: never) => unknown>
interface Question {
  id: number
  name: string
  data: unknown
}
type Reply = { ready: Record<string, string> } | { id: number; answer?: unknown; error?: string }

/** Starts `script` (beside bench/*.bench.ts) and resolves when it is ready. Its standard output is not kept. */
export async function startChild(
  script: string,
  options: { env?: Record<string, string>; execArgv?: string[] } = {},
): Promise<Child> {
  const child = fork(new URL(`../${script}`, import.meta.url), {
    env: { ...inheritedEnvironment(), ...options.env },
    execArgv: options.execArgv ?? [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const open = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<Record<string, string>>()
  child.on('message', (reply: Reply) => {
    if ('ready' in reply) return ready.resolve(reply.ready)
    const waiting = open.get(reply.id)
    open.delete(reply.id)
    if (reply.error === undefined) waiting?.resolve(reply.answer)
    else waiting?.reject(new Error(`${script}: ${reply.error}`))
  })
  child.once('exit', (code, signal) => {
    const gone = new Error(`${script} ended (${code ?? signal})`)
    for (const waiting of [ready, ...open.values()]) waiting.reject(gone)
  })
  let id = 0
  return {
    ready: await ready.promise,
    pid: child.pid!,
    ask: <Answer>(name: string, data?: unknown) => {
      const waiting = Promise.withResolvers<unknown>()
      open.set((id += 1), waiting)
      if (!child.send({ id, name, data } satisfies Question) && !child.connected)
        waiting.reject(new Error(`${script} is gone`))
      return waiting.promise as Promise<Answer>
    },
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** In the child: says that it is ready and answers from now on. */
export function answerParent(ready: Record<string, string>, answers: Answers): void {
  process.on('message', ({ id, name, data }: Question) => {
    const reply = (outcome: { answer: unknown } | { error: string }) => process.send!({ id, ...outcome })
    Promise.resolve()
      .then(() => answers[name]!(data as never))
      .then(
        (answer) => reply({ answer: answer ?? null }),
        (error: unknown) =>
          reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM')) // nobody is left to ask
  process.send!({ ready })
}
