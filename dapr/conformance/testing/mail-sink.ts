import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export interface MailSink {
  readonly port: number
  /** What was sent so far, headers and body as they came. */
  messages(): string[]
}

/** A mail server on 127.0.0.1 that takes everything and sends nothing on (RFC 5321, the least of it). */
export async function startMailSink(): Promise<MailSink> {
  const messages: string[] = []
  const server = createServer((socket) => {
    let input = ''
    let isData = false
    const say = (line: string) => socket.write(`${line}\r\n`)
    const take = (command: string) => {
      const verb = command.slice(0, 4).toUpperCase()
      isData = verb === 'DATA'
      say(isData ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 sink')
      if (verb === 'QUIT') socket.end()
    }
    socket.on('data', (chunk) => {
      input += chunk.toString('latin1')
      for (;;) {
        const end = input.indexOf(isData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const text = input.slice(0, end)
        input = input.slice(end + (isData ? 5 : 2))
        if (!isData) take(text)
        else {
          messages.push(Buffer.from(text.replaceAll('\r\n..', '\r\n.'), 'latin1').toString())
          isData = false
          say('250 taken')
        }
      }
    })
    say('220 sink')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => void server.close())
  return { port: (server.address() as AddressInfo).port, messages: () => messages }
}

export interface Mail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly contentType: string
  readonly text: string
}

/** The parts of a message that a reader sees: encoded words (RFC 2047) and quoted-printable (RFC 2045) resolved. */
export function readMail(message: string): Mail {
  const [head = '', ...rest] = message.split('\r\n\r\n')
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')
  const header = (name: string) =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? ''
  const body = rest.join('\r\n\r\n')
  const isQuoted = header('content-transfer-encoding') === 'quoted-printable'
  return {
    from: decodedWords(header('from')),
    to: header('to'),
    subject: decodedWords(header('subject')),
    contentType: header('content-type').toLowerCase(),
    text: (isQuoted ? unquoted(body.replaceAll('=\r\n', '')) : body).trimEnd(),
  }
}

function decodedWords(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how: string, word: string) =>
      how.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString()
        : unquoted(word.replaceAll('_', ' ')),
    )
}

function unquoted(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
