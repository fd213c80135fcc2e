import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll } from 'vitest'

interface SmtpServer {
  url: string
  port: number
  mails: Mail[]
  /** Every command as it came. */
  heard: string[]
  close(): Promise<void>
}

/** What it answers instead of 250, by verb; `content`: after the end of a mail. */
type Replies = Partial<Record<'MAIL' | 'RCPT' | 'content', string>>

interface Mail {
  from: string
  to: string[]
  data: string
}

/** A mail server on 127.0.0.1 that keeps what it gets (RFC 5321, the least of it). */
export async function startSmtpServer(replies: Replies = {}, port = 0): Promise<SmtpServer> {
  const mails: Mail[] = []
  const heard: string[] = []
  const server = await createSmtpServer({
    host: '127.0.0.1',
    port,
    replies,
    onLine: (line) => heard.push(line),
    onMail: (mail) => mails.push(mail),
  })
  afterAll(server.close)
  return { url: `smtp://127.0.0.1:${server.port}`, mails, heard, ...server }
}

interface SmtpOptions {
  host: string
  port: number
  replies?: Replies
  onLine?: (line: string) => void
  onMail: (mail: Mail) => void
}

/** The same elsewhere, until it is closed. */
export async function createSmtpServer(
  options: SmtpOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    converse(socket, options)
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const close = async () => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  return { port: (server.address() as AddressInfo).port, close }
}

function converse(socket: Socket, { replies = {}, onLine = () => {}, onMail }: SmtpOptions): void {
  let input = ''
  let isData = false
  let mail = { from: '', to: [] as string[] }
  const say = (line: string) => socket.write(`${line}\r\n`)

  function take(line: string): void {
    onLine(line)
    const verb = line.slice(0, 4).toUpperCase()
    const address = /<[^>]*>/.exec(line)?.[0] ?? ''
    if (verb === 'MAIL') mail = { from: address, to: [] }
    if (verb === 'RCPT') mail.to.push(address)
    isData = verb === 'DATA'
    if (verb === 'QUIT') socket.end('221 bye\r\n')
    else if (verb === 'STAR') say('502 no TLS here')
    else if (isData) say('354 go on')
    else say((verb === 'MAIL' || verb === 'RCPT' ? replies[verb] : undefined) ?? '250 ok')
  }

  function takeContent(text: string): void {
    isData = false
    const data = Buffer.from(text.replaceAll('\r\n..', '\r\n.'), 'latin1').toString()
    if (replies.content === undefined) onMail({ ...mail, data })
    say(replies.content ?? '250 taken')
  }

  socket.on('data', (chunk) => {
    input += chunk.toString('latin1')
    for (;;) {
      const mark = isData ? '\r\n.\r\n' : '\r\n'
      const end = input.indexOf(mark)
      if (end < 0) return
      const text = input.slice(0, end)
      input = input.slice(end + mark.length)
      if (isData) takeContent(text)
      else take(text)
    }
  })
  say('220 here')
}
