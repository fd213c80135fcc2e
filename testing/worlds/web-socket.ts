import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

interface SocketMessage {
  type: string
  [field: string]: unknown
}

export interface TestSocket {
  /** All that came so far. */
  readonly messages: readonly SocketMessage[]
  send(message: object | string | Buffer): void
  /** Resolves with the code when it is over, whoever ended it. */
  readonly closed: Promise<number>
  close(): void
  raw: WebSocket
}

export interface SocketOptions {
  headers?: Record<string, string>
  onMessage?: (message: SocketMessage) => void
}

/** Opens a socket. Rejects with the status and body where it is refused. */
export function openSocket(
  url: string,
  { headers = {}, onMessage = () => {} }: SocketOptions = {},
): Promise<TestSocket> {
  const raw = new WebSocket(url.replace(/^http/, 'ws'), { headers })
  const messages: SocketMessage[] = []
  raw.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as SocketMessage
    messages.push(message)
    onMessage(message)
  })
  const closed = new Promise<number>((resolve) => raw.on('close', resolve))
  return new Promise((resolve, reject) => {
    raw.on('error', reject)
    raw.on('unexpected-response', (_, answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () =>
        reject(
          Object.assign(new Error(`refused: ${answer.statusCode}`), { status: answer.statusCode, text }),
        ),
      )
    })
    raw.on('open', () =>
      resolve({
        raw,
        messages,
        closed,
        send: (message) =>
          raw.send(
            typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
          ),
        close: () => raw.close(),
      }),
    )
    onTestFinished(() => raw.terminate())
  })
}
