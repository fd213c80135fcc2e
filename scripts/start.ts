import { readConfig } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { exitOnSignal, failToStart } from '../shared/kit/process.ts'
import { startEmbedded } from './embedded.ts'

// `npm start`: Daybook whole, in one process.
try {
  installHttp()
  const daybook = await startEmbedded(readConfig())
  exitOnSignal(daybook.close)
  process.stdout.write(`Daybook is ready at ${daybook.url}\n`)
} catch (error) {
  failToStart(error)
}
