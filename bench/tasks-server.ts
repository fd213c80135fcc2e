import { readConfig } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { exitOnSignal, failToStart } from '../shared/kit/process.ts'
import { connect } from '../shared/db/connect.ts'
import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { startEmbedded } from '../profiles/embedded/embedded.ts'
import { openSession } from '../testing/worlds/open-session.ts'
import { seedTasks, type Seeded } from './seed-tasks.ts'

// The server that `npm run bench tasks` loads: the embedded profile with a dataset, plus two routes of the benchmark.
try {
  installHttp()
  let seeded: Seeded | undefined
  const config = readConfig()
  const daybook = await startEmbedded(config, (app, deps, sql) => {
    app.get('/bench/select-1', async (c) => c.json(await sql`select 1`))
    app.get('/bench/dataset', async (c) => {
      const issue = async (userId: string) => (await openSession(deps, userId)).token
      const { heavyUser, users, openTasks } = seeded!
      return c.json({
        heavyToken: await issue(heavyUser),
        tokens: await Promise.all(users.map(issue)),
        openTasks,
      })
    })
    app.get('/bench/backlog', async (c) => c.json(await deps.outbox.backlog()))
  })
  // Daybook itself may neither vacuum nor ask for a checkpoint.
  const superuser = connect((await joinEmbeddedPostgres(config.dataDir)).as('superuser'), {
    max: 2,
    applicationName: 'bench',
  })
  seeded = await seedTasks(superuser)
  await superuser.end()
  exitOnSignal(daybook.close)
  process.stdout.write(`ready ${daybook.url}\n`)
} catch (error) {
  failToStart(error)
}
