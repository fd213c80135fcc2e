import { get, type IncomingMessage } from 'node:http'
import { StringDecoder } from 'node:string_decoder'

/** A message of an event stream (WHATWG HTML §9.2.6). */
export interface StreamMessage {
  event: string
  /** What a client that comes back says it saw last (`Last-Event-ID`); empty when the stream gave none so far. */
  id: string
  data: string
  /** When it came, in ms since the epoch. */
  at: number
}

export interface EventStream {
  /** All that came so far. */
  readonly messages: readonly StreamMessage[]
  /** Resolves when the stream is over, whoever ended it. */
  readonly ended: Promise<void>
  close(): void
}

export interface StreamOptions {
  headers?: Record<string, string>
  onMessage?: (message: StreamMessage) => void
}

/** Listens to an event stream as an EventSource does, without coming back by itself. Rejects unless the answer is 200. */
export async function openEventStream(
  url: string,
  { headers = {}, onMessage = () => {} }: StreamOptions = {},
): Promise<EventStream> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } }, resolve).on(
      'error',
      reject,
    )
  })
  if (answer.statusCode !== 200) {
    answer.resume()
    throw new Error(`${new URL(url).pathname} answered ${answer.statusCode}`)
  }
  const messages: StreamMessage[] = []
  const read = createParser((message) => {
    messages.push(message)
    onMessage(message)
  })
  const decoder = new StringDecoder('utf8')
  answer.on('data', (chunk: Buffer) => read(decoder.write(chunk)))
  const ended = new Promise<void>((resolve) => {
    answer.on('close', resolve).on('error', () => {}) // a connection that breaks is an end like any other
  })
  return { messages, ended, close: () => answer.destroy() }
}

function createParser(emit: (message: StreamMessage) => void): (text: string) => void {
  let rest = ''
  let event = ''
  let id = ''
  let data: string[] = []
  const field = (name: string, value: string) => {
    if (name === 'event') event = value
    else if (name === 'id') id = value
    else if (name === 'data') data.push(value)
  }
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()!
    for (const line of lines) {
      if (line !== '') {
        const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line)!
        field(name, value)
        continue
      }
      if (data.length > 0) emit({ event: event || 'message', id, data: data.join('\n'), at: Date.now() })
      event = ''
      data = []
    }
  }
}
