import type { Senders } from '../app/reminder-ports.ts'
import type { DaprClient } from '../dapr/client.ts'
import { createMailSender, type MailSettings } from './send-mail.ts'

export interface SendersOptions {
  dapr: Pick<DaprClient, 'invokeBinding' | 'secrets'>
  clock: { now(): Date }
  mail: MailSettings
}

export function createSenders({ dapr, clock, mail }: SendersOptions): Senders {
  return { email: createMailSender(dapr, clock, mail) } as Senders
}
