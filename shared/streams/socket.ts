import type { Clock, StartTimer } from '../app/ports.ts'
import type { ClientSocket, Conversation } from '../app/sync/ports.ts'
import { HEARTBEAT_MS } from './event-stream.ts'
import type { Connection } from './live-connections.ts'

/** Of a client, from one heartbeat to the next. */
const MAX_MESSAGES = 600
/** Before what failed is tried again. */
const RETRY_MS = 3000

/** Why a socket is closed (RFC 6455 §7.4); 1012 and the ones of ours are for clients that come back. */
const CLOSE = {
  over: [1012, 'come back'],
  notText: [1003, 'send JSON text'],
  failed: [1011, 'try again'],
  signed_out: [4401, 'signed out'],
  slow: [4408, 'too slow'],
  too_many: [4429, 'too many'],
} as const satisfies Record<string, readonly [number, string]>

interface SocketContext {
  clock: Clock
  startTimer: StartTimer
  /** Told after every read: null, or why it failed. */
  note: (err: unknown) => void
  admit: (connection: Connection) => () => void
}

/**
 * Sends what the conversation has to tell, the next batch when the system has taken the one before, and answers each message in
 * its turn. A client that takes nothing between two heartbeats, or does not answer a ping, is dropped.
 */
export function holdConversation(
  socket: ClientSocket,
  conversation: Conversation,
  { clock, startTimer, note, admit }: SocketContext,
): void {
  const releases = new Set<() => void>()
  let isOpen = true
  let isNews = true
  let isTelling = false
  let isAlive = true
  let pending = 0
  let messages = 0
  let unanswered = 0
  let answering = Promise.resolve()

  function send(message: object): Promise<void> {
    pending += 1
    return new Promise((resolve) =>
      socket.send(JSON.stringify(message), () => {
        pending -= 1
        // Behind what is still on its way a pong may take long.
        isAlive ||= pending > 0
        resolve()
      }),
    )
  }
  async function sendAll(all: readonly object[]): Promise<void> {
    await Promise.all(all.map(send))
  }
  function close([code, reason]: readonly [number, string], last?: object): void {
    if (!isOpen) return
    if (last) void send(last)
    release()
    socket.resume() // to read that the client closes, too
    socket.close(code, reason)
  }
  function release(): void {
    isOpen = false
    isNews = false
    for (const one of releases) one()
    releases.clear()
  }
  function after(ms: number, run: () => void): void {
    const callOff = startTimer(() => {
      releases.delete(callOff)
      run()
    }, ms)
    releases.add(callOff)
  }

  async function tell(): Promise<void> {
    isNews = isOpen
    if (isTelling) return
    isTelling = true
    while (isNews) {
      isNews = false
      try {
        const found = await conversation.next()
        note(null)
        if (!isOpen) continue
        isNews ||= found.hasMore
        await sendAll(found.items)
      } catch (err) {
        if (!isOpen) continue
        note(err)
        after(RETRY_MS, () => void tell())
      }
    }
    isTelling = false
  }
  function beat(): void {
    if (!isAlive) {
      close(CLOSE.slow)
      return socket.terminate()
    }
    isAlive = false
    messages = 0
    socket.ping()
    if (pending === 0) void send({ type: 'heartbeat', server_time: clock.now().toISOString() })
    after(HEARTBEAT_MS, beat)
  }

  async function answer(text: string): Promise<void> {
    try {
      if (!isOpen) return
      await sendAll(await conversation.take(parsed(text)))
      void tell()
    } catch (err) {
      note(err)
      close(CLOSE.failed)
    } finally {
      if ((unanswered -= 1) === 0) socket.resume()
    }
  }

  socket.on('message', (data, isBinary) => {
    messages += 1
    isAlive = true
    if (messages > MAX_MESSAGES) close(CLOSE.too_many)
    else if (isBinary) close(CLOSE.notText)
    else {
      // What its client sends meanwhile waits there.
      if ((unanswered += 1) === 1) socket.pause()
      answering = answering.then(() => answer(data.toString()))
    }
  })
  socket.on('pong', () => (isAlive = true))
  socket.on('close', release)
  releases.add(conversation.subscribe(() => void tell()))
  const leave = admit({
    end: (retryMs, why) => close(CLOSE[why], { type: 'closing', reason: why, retry_ms: retryMs }),
  })
  if (isOpen) releases.add(leave)
  else leave()
  if (isOpen) after(HEARTBEAT_MS, beat)
}

/** Undefined for what is no JSON: the conversation answers that. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
