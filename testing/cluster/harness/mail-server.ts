import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSmtpServer } from '../../worlds/smtp-server.ts'
import { NETWORK } from '../../../tools/cluster/places.ts'

/** As values-platform.yaml names it. */
const PORT = 12_525

/** Takes what the relay in the cluster sends, into a folder like that of a relay without a mail server. */
export async function startMailServer(folder: string): Promise<{ close(): Promise<void> }> {
  mkdirSync(folder, { recursive: true })
  let count = 0
  return await createSmtpServer({
    host: NETWORK.node,
    port: PORT,
    onMail: ({ data }) => writeFileSync(join(folder, `${(count += 1)}.eml`), data),
  })
}
