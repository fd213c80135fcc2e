import { readConfig } from '../shared/config.ts'
import { exitOnSignal, failToStart } from '../shared/kit/process.ts'
import { startMailRelay } from './mail-relay/relay.ts'

// `npm run mail-relay`: the mail service of Daybook by itself, beside the sidecar of notifications-worker.
try {
  const relay = await startMailRelay(readConfig())
  exitOnSignal(relay.close)
  process.stdout.write(`The mail relay is ready; set DAYBOOK_MAIL_URL=${relay.url}\n`)
} catch (error) {
  failToStart(error)
}
