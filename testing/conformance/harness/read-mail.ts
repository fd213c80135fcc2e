export interface Mail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly messageId: string
  /** Names of all headers, in lower case. */
  readonly headers: readonly string[]
  readonly text: string
  readonly html: string
}

/** What a reader sees of a mail with two bodies: encoded words (RFC 2047), parts (RFC 2046) and encodings resolved. */
export function readMail(message: string): Mail {
  const { header, names, body } = split(message)
  const boundary = /boundary="([^"]+)"/.exec(header('content-type'))?.[1]
  const parts =
    boundary === undefined
      ? []
      : body
          .split(`--${boundary}`)
          .slice(1, -1)
          .map((part) => split(part.slice(2)))
  const part = (type: string) => {
    const found = parts.find((one) => one.header('content-type').startsWith(type))
    return found ? decoded(found.body, found.header('content-transfer-encoding')) : ''
  }
  return {
    from: decodedWords(header('from')),
    to: header('to'),
    subject: decodedWords(header('subject')),
    messageId: header('message-id'),
    headers: names,
    text: part('text/plain'),
    html: part('text/html'),
  }
}

function split(message: string) {
  const end = message.indexOf('\r\n\r\n')
  const lines = message
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const nameOf = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase()
  const header = (name: string) =>
    lines
      .find((line) => nameOf(line) === name)
      ?.slice(name.length + 1)
      .trim() ?? ''
  return { header, names: lines.map(nameOf), body: message.slice(end + 4) }
}

function decoded(body: string, encoding: string): string {
  const text = body.replace(/\r\n$/, '')
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString().replaceAll('\r\n', '\n')
  const plain = encoding === 'quoted-printable' ? unquoted(text.replaceAll('=\r\n', '')) : text
  return plain.replaceAll('\r\n', '\n')
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
