import type { Snapshot, SyncResult, Task } from './api.ts'
import {
  afterAnswer,
  afterBatch,
  afterSnapshot,
  emptyState,
  tasksOf,
  type Command,
  type State,
  type TaskMessage,
} from './state.ts'

export type { Command, State } from './state.ts'
export type { SyncResult, Task } from './api.ts'

export interface Status {
  connection: 'live' | 'reconnecting' | 'offline'
  /** Commands that the server has not answered. */
  queued: number
}

export interface Options {
  /** Of Daybook, as `https://daybook.example.org`. */
  url: string
  /** An access token; asked for again when one is refused. */
  token: () => Promise<string>
  /** Keeps the state, as a whole, and has it again after a restart. */
  store?: { load(): Promise<State | null>; save(state: State): Promise<void> }
  onChange?: (tasks: Task[], status: Status) => void
  /** What the server has refused, or written over what somebody else had. */
  onResult?: (result: SyncResult['results'][number]) => void
  random?: () => number
}

export interface Client {
  start(): Promise<void>
  stop(): void
  tasks(): Task[]
  status(): Status
  /** Shown at once, sent as soon as there is a connection. */
  run(command: Command): void
}

const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
/** As long as that without a connection is offline. */
const OFFLINE_AFTER = 2
/** A server that is there says something every 30 s. */
const SILENT_MS = 75_000
const COMMANDS_AT_ONCE = 100

class Refused extends Error {
  readonly status: number
  constructor(status: number) {
    super(`refused: ${status}`)
    this.status = status
  }
}

/** The tasks of a user, kept as the server has them, and changed while it is away. */
export async function openClient({
  url,
  token,
  store,
  onChange,
  onResult,
  random = Math.random,
}: Options): Promise<Client> {
  let state = (await store?.load()) ?? emptyState(crypto.randomUUID())
  let socket: WebSocket | undefined
  let isLive = false
  let isSending = false
  let failures = 0
  let stopped = new AbortController()
  let saving: Promise<void> = Promise.resolve()
  let timer: ReturnType<typeof setTimeout> | undefined

  const unanswered = () => state.pending.filter(({ until }) => until === null)
  const status = (): Status => ({
    connection: isLive ? 'live' : failures >= OFFLINE_AFTER ? 'offline' : 'reconnecting',
    queued: unanswered().length,
  })
  const changed = () => onChange?.(tasksOf(state), status())

  async function become(next: State): Promise<void> {
    state = next
    changed()
    // One after the other, so that the last one stays.
    saving = saving.then(async () => await store?.save(state))
    await saving
  }

  async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(url + path, { method, headers, signal: stopped.signal, ...sent })
    if (!answer.ok) throw new Refused(answer.status)
    return (await answer.json()) as Answer
  }

  /** Every way back to a request waits, ever longer, and not as long as the others do. */
  function again(run: () => void, atLeastMs = 0): void {
    clearTimeout(timer)
    if (stopped.signal.aborted) return
    const most = Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS)
    failures += 1
    timer = setTimeout(run, Math.max(atLeastMs, most * (0.5 + random() / 2)))
  }

  async function connect(): Promise<void> {
    try {
      if (state.cursor === null) await loadSnapshot()
      listen(await token())
    } catch {
      lost(0)
    }
  }

  async function loadSnapshot(): Promise<void> {
    const { tasks, cursor, sequence } = await ask<Snapshot>('GET', '/api/snapshot')
    await become(afterSnapshot(state, tasks, { cursor, sequence }))
  }

  function lost(atLeastMs: number): void {
    isLive = false
    changed()
    again(() => void connect(), atLeastMs)
  }

  function listen(accessToken: string): void {
    const mine = new WebSocket(`${url.replace(/^http/, 'ws')}/api/tasks/ws`)
    socket = mine
    let batch: TaskMessage[] = []
    let retryMs = 0
    let work = Promise.resolve()
    let silence = setTimeout(() => mine.close(), SILENT_MS)
    const say = (message: object) => mine.send(JSON.stringify(message))

    async function hear(
      message: TaskMessage & {
        cursor: string
        sequence: number
        is_up_to_date?: boolean
        code?: string
        retry_ms?: number
      },
    ) {
      if (message.type === 'connected') say({ type: 'subscribe', channel: 'tasks', since: state.cursor })
      else if (message.type === 'closing') retryMs = message.retry_ms ?? 0
      else if (message.code === 'changes.cursor_gone') {
        await loadSnapshot()
        say({ type: 'subscribe', channel: 'tasks', since: state.cursor })
      } else if (message.type === 'cursor') {
        const told = batch
        batch = []
        isLive = message.is_up_to_date === true
        if (isLive) failures = 0
        await become(afterBatch(state, told, message))
        if (isLive) void send()
      } else if (message.type.startsWith('task.')) batch.push(message)
    }

    mine.addEventListener('open', () => say({ type: 'auth', token: accessToken }))
    mine.addEventListener('message', ({ data }) => {
      clearTimeout(silence)
      silence = setTimeout(() => mine.close(), SILENT_MS)
      // In their order, each when the one before is kept.
      work = work.then(() => hear(JSON.parse(String(data)) as never)).catch(() => mine.close())
    })
    mine.addEventListener('close', () => {
      clearTimeout(silence)
      if (socket === mine && !stopped.signal.aborted) lost(retryMs)
    })
  }

  async function send(): Promise<void> {
    if (isSending || !isLive) return
    isSending = true
    try {
      for (let queue = unanswered(); queue.length > 0; queue = unanswered()) {
        const commands = queue.slice(0, COMMANDS_AT_ONCE).map(({ command }) => command)
        const answer = await ask<SyncResult>('POST', '/api/sync', { client_id: state.clientId, commands })
        await become(afterAnswer(state, answer))
        for (const result of answer.results) if (result.status !== 'applied') onResult?.(result)
      }
    } catch {
      socket?.close() // and everything unanswered is sent again with the next connection
    } finally {
      isSending = false
    }
  }

  return {
    async start() {
      stopped = new AbortController()
      await connect()
    },
    stop() {
      stopped.abort()
      clearTimeout(timer)
      isLive = false
      socket?.close()
    },
    tasks: () => tasksOf(state),
    status,
    run(command) {
      const lastId = state.lastId + 1
      const pending = [...state.pending, { command: { ...command, id: String(lastId) }, until: null }]
      void become({ ...state, lastId, pending }).then(send)
    },
  }
}
