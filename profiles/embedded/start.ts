import { readConfig } from '../../shared/config.ts'
import { installHttp } from '../../shared/dapr/http.ts'
import { readArguments } from '../../shared/arguments.ts'
import { exitOnSignal, failToStart } from '../../shared/kit/process.ts'
import { whereThingsAre } from '../where-things-are.ts'
import { startEmbedded } from './embedded.ts'

// `npm start`: Daybook whole, in one process.
readArguments('npm start', {})
try {
  installHttp()
  const config = readConfig()
  const { url, moved, close } = await startEmbedded(config)
  exitOnSignal(close)
  process.stdout.write(whereThingsAre(config, { url, dataDir: config.dataDir, moved }))
} catch (error) {
  failToStart(error)
}
