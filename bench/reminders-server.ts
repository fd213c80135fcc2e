import { randomUUID } from 'node:crypto'
import { readConfig } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { exitOnSignal, failToStart } from '../shared/kit/process.ts'
import { systemIds } from '../shared/kit/system.ts'
import { openSession } from '../testing/worlds/open-session.ts'
import { startEmbedded } from '../profiles/embedded/embedded.ts'

// The server of `npm run bench reminders`: the embedded profile, with people made in one statement and its own memory to
// be seen.
try {
  installHttp()
  const daybook = await startEmbedded(readConfig(), (app, deps, sql) => {
    app.post('/bench/people/:count', async (c) => {
      const ids = Array.from({ length: Number(c.req.param('count')) }, () => systemIds.uuid())
      await sql`
        insert into users (id, email, password_hash, time_zone, created_at, email_confirmed_at)
        select id::uuid, ${randomUUID()} || id || '@example.org', 'none', 'UTC', now(), now() from unnest(${ids}::text[]) id`
      const issue = async (userId: string) => (await openSession(deps, userId)).token
      return c.json(await Promise.all(ids.map(async (id) => ({ id, token: await issue(id) }))))
    })
    app.get('/bench/memory', (c) => {
      globalThis.gc?.()
      return c.json({ rss: process.memoryUsage().rss })
    })
    app.get('/bench/backlog', async (c) => c.json(await deps.outbox.backlog()))
  })
  exitOnSignal(daybook.close)
  process.stdout.write(`ready ${daybook.url}\n`)
} catch (error) {
  failToStart(error)
}
