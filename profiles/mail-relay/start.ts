import { readConfig } from '../../shared/config.ts'
import { readArguments } from '../../shared/arguments.ts'
import { exitOnSignal, failToStart } from '../../shared/kit/process.ts'
import { startMailRelay } from './relay.ts'

// `npm run mail-relay`: the mail service of Daybook by itself, beside the sidecar of notifications-worker.
readArguments('npm run mail-relay', {})
try {
  const config = readConfig()
  if (config.mailRelay.token === undefined)
    throw new Error('MAIL_RELAY_TOKEN is not set; callers of the relay must send it.')
  const relay = await startMailRelay(config)
  exitOnSignal(relay.close)
  process.stdout.write(
    `The mail relay is ready; set DAYBOOK_MAIL_URL=${relay.url} and DAYBOOK_MAIL_AUTHORIZATION to Bearer and its token.\n`,
  )
} catch (error) {
  failToStart(error)
}
