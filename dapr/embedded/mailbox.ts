import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BindingAnswer, BindingRequest } from './bindings.ts'
import type { SidecarContext } from './context.ts'
import { metadataValue, type Component } from './resources.ts'

export const MAIL_OPERATIONS = ['create']

/**
 * Takes what `bindings.smtp` takes and puts the message as an .eml file into `<dataDir>/mailbox/`, complete or not at
 * all, instead of sending it. Unlike the real component it forgets the metadata of a request after the request.
 */
export async function writeMail(
  context: SidecarContext,
  component: Component,
  { data, metadata }: BindingRequest,
): Promise<BindingAnswer> {
  const field = (name: string) => metadata[name] || metadataValue(component, name, context.env) || ''
  for (const name of ['emailFrom', 'emailTo', 'subject']) {
    if (field(name) === '') {
      throw new Error(
        `smtp binding error: ${name} property not supplied in configuration- or request-metadata`,
      )
    }
  }
  const priority = field('priority') || '3'
  if (!/^[1-5]$/.test(priority)) {
    throw new Error('smtp binding error:  priority value must be between 1 (highest) and 5 (lowest)')
  }
  const now = context.clock.now()
  const id = context.newId()
  const headers: [string, string][] = [
    ['From', addresses(field('emailFrom'))],
    ['To', addresses(field('emailTo'))],
    ['Cc', addresses(field('emailCC'))],
    ['Bcc', addresses(field('emailBCC'))],
    ['Subject', encodeWords(field('subject'))],
    ['X-Priority', priority],
    ['Date', now.toUTCString().replace('GMT', '+0000')],
    ['Message-ID', `<${id}@daybook.localhost>`],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/html; charset=UTF-8'],
    ['Content-Transfer-Encoding', '8bit'],
  ]
  const head = headers.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}\r\n`)
  const body = textOf(data).replaceAll(/\r\n|\r|\n/g, '\r\n')
  await writeWhole(
    join(context.dataDir, 'mailbox'),
    `${now.toISOString().replaceAll(/[:.]/g, '-')}-${id}.eml`,
    `${head.join('')}\r\n${body}\r\n`,
  )
  return { body: null, metadata: {} }
}

async function writeWhole(directory: string, name: string, content: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const draft = join(directory, `.${name}.tmp`)
  await writeFile(draft, content, { flush: true })
  await rename(draft, join(directory, name))
}

function textOf(json: string): string {
  const data: unknown = JSON.parse(json)
  return typeof data === 'string' ? data : json
}

// Dapr separates addresses by semicolons, mail by commas.
function addresses(text: string): string {
  return text
    .split(';')
    .map((address) => {
      const named = /^(.*?)\s*(<[^<>]*>)$/.exec(oneLine(address))
      return named ? `${encodeWords(named[1]!)} ${named[2]!}`.trim() : oneLine(address)
    })
    .filter((address) => address !== '')
    .join(', ')
}

/** RFC 2047 encoded words of at most 75 characters for text beyond ASCII. Line breaks cannot start a header. */
function encodeWords(text: string): string {
  const line = oneLine(text)
  if (/^[\x20-\x7e]*$/.test(line)) return line
  const words: string[] = []
  let word = ''
  for (const character of line) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ')
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]+/g, ' ').trim()
