import { readConfig } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { exitOnSignal, failToStart } from '../shared/kit/process.ts'
import { startEmbedded } from '../scripts/embedded.ts'
import { seedTasks, type Seeded } from './seed-tasks.ts'

// The server that `npm run bench tasks` loads: the embedded profile with a dataset, plus two routes of the benchmark.
try {
  installHttp()
  let seeded: Seeded | undefined
  const daybook = await startEmbedded(readConfig(), (app, deps, sql) => {
    app.get('/bench/select-1', async (c) => c.json(await sql`select 1`))
    app.get('/bench/dataset', async (c) => {
      const issue = (userId: string) => deps.identity.tokens.issue({ userId, timeZone: 'UTC', scopes: [] })
      const { heavyUser, users, openTasks } = seeded!
      return c.json({
        heavyToken: await issue(heavyUser),
        tokens: await Promise.all(users.map(issue)),
        openTasks,
      })
    })
    app.get('/bench/backlog', async (c) => c.json(await deps.outbox.backlog()))
  })
  seeded = await seedTasks(daybook.sql)
  exitOnSignal(daybook.close)
  process.stdout.write(`ready ${daybook.url}\n`)
} catch (error) {
  failToStart(error)
}
