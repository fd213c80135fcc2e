import { z } from 'zod'

const line = z.string().regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'must be one line')
const address = z
  .string()
  .regex(/^[^\s\p{Cc}<>@",;:()[\]\\]+@[^\s\p{Cc}<>@",;:()[\]\\]+$/u, 'must be one address')
const NAMED = /^([^\p{Cc}<>@",;:\\]*?) ?<([^<>]+)>$/u

/** `Name <address>` or an address, taken apart here, so that nobody downstream reads more than one out of it. */
const mailbox = z.string().transform((text, context) => {
  const [, name = '', inBrackets] = NAMED.exec(text) ?? []
  const parsed = address.safeParse(inBrackets ?? text)
  if (parsed.success) return { name, address: parsed.data }
  context.addIssue({ code: 'custom', message: 'must be an address, or a name and <address>' })
  return z.NEVER
})

/** What may be said beside the mail's own fields; everything else follows from these. */
const HEADERS = [
  'message-id',
  'auto-submitted',
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
    subject: line,
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
