import { readConfig } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { exitOnSignal, failToStart } from '../shared/kit/process.ts'
import { startEmbedded } from '../profiles/embedded/embedded.ts'
import type { ComposedDeps } from '../functions/compose.ts'
import { answerParent } from './abuse/child.ts'
import { createSabotage } from './abuse/sabotage.ts'
import { createSeed } from './abuse/seed.ts'
import { watchProcess } from './abuse/watch.ts'

// The server of `npm run bench abuse`: the embedded profile with its default limits. What the bench wants beside HTTP, it
// asks over IPC.
try {
  installHttp()
  let deps: ComposedDeps | undefined
  const daybook = await startEmbedded(readConfig(), (_app, composed) => void (deps = composed))
  exitOnSignal(daybook.close)
  const watch = watchProcess()
  // A connection that nobody else uses: what the bench asks is answered right, whatever the others suffer.
  const sql = await daybook.sql.reserve()
  answerParent(
    { url: daybook.url },
    {
      ...createSeed(deps!, sql),
      ...createSabotage(sql),
      watched: () => watch.read(),
      rest: () => globalThis.gc?.(),
    },
  )
} catch (error) {
  failToStart(error)
}
