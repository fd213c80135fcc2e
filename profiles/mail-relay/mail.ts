import { z } from 'zod'

const line = z.string().regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'must be one line')
const address = z
  .string()
  .regex(/^[^\s\p{Cc}<>@",;:()[\]\\]+@[^\s\p{Cc}<>@",;:()[\]\\]+$/u, 'must be one address')
const NAMED = /^([^\p{Cc}<>@",;:\\]*?) ?<([^<>]+)>$/u

/** `Name <address>` or an address, taken apart here, so that nobody downstream reads more than one out of it. */
export const mailbox = z.string().transform((text, context) => {
  const [, name = '', inBrackets] = NAMED.exec(text) ?? []
  const parsed = address.safeParse(inBrackets ?? text)
  if (parsed.success) return { name, address: parsed.data }
  context.addIssue({ code: 'custom', message: 'must be an address, or a name and <address>' })
  return z.NEVER
})

const MAX_WORD_BYTES = 45

/**
 * A subject that holds what looks like an encoded word (RFC 2047), `=?utf-8?Q?=41?=`, as encoded words, so that it is
 * read as it was typed. Other subjects nodemailer encodes where they need it.
 */
function asTyped(subject: string): string {
  if (!subject.includes('=?')) return subject
  const words: string[] = ['']
  for (const character of subject) {
    const longer = words.at(-1)! + character
    if (Buffer.byteLength(longer) > MAX_WORD_BYTES) words.push(character)
    else words[words.length - 1] = longer
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ')
}

/** What may be said beside the mail's own fields; everything else follows from these. */
const HEADERS = [
  'message-id',
  'auto-submitted',
  'references',
  'in-reply-to',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'x-entity-ref-id',
]

/** One mail, in the shape of Resend's API as far as Daybook uses it. */
export const Mail = z
  .object({
    from: mailbox,
    to: z
      .array(address)
      .min(1)
      .max(50)
      .transform((list) => list.map((one) => ({ name: '', address: one }))),
    subject: line.transform(asTyped),
    html: z.string(),
    text: z.string(),
    headers: z
      .record(z.string(), line)
      .default({})
      .transform((given) =>
        Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])),
      )
      .refine(
        (given) => Object.keys(given).every((name) => HEADERS.includes(name)),
        `may hold ${HEADERS.join(', ')}`,
      ),
  })
  .transform(({ headers: { 'message-id': messageId, ...headers }, ...mail }) => ({
    ...mail,
    headers,
    ...(messageId !== undefined && { messageId }),
  }))
export type Mail = z.infer<typeof Mail>
