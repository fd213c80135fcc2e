/**
 * What an integrator writes in the first hour, with nothing but the API document: types generated from it and a client that
 * goes by them. `node first-hour.ts URL EMAIL` prints what came of it as JSON.
 */
import createClient from 'openapi-fetch'
import type { components, paths } from './generated/api.ts'

const [baseUrl = '', email = ''] = process.argv.slice(2)
const api = createClient<paths>({ baseUrl })

/** The answer; a refusal ends the program with its problem document. */
function got<Data>({ data, error }: { data?: Data; error?: unknown }): Data {
  if (data === undefined) throw new Error(JSON.stringify(error))
  return data
}

const session = got(
  await api.POST('/api/auth/register', { body: { email, password: 'correct horse battery staple' } }),
)
api.use({
  onRequest({ request }) {
    request.headers.set('authorization', `Bearer ${session.access_token}`)
  },
})

const events = got(await api.GET('/api/notifications/stream', { parseAs: 'stream' }))

const created = got(await api.POST('/api/tasks', { body: { title: 'Pay rent' } }))
const inASecond = new Date(Date.now() + 1000).toISOString()
got(
  await api.POST('/api/tasks/{id}/reminders', {
    params: { path: { id: created.id } },
    body: { remind_at: inASecond },
  }),
)
const reminded = await heard('reminder')

const list = got(
  await api.GET('/api/tasks', { params: { query: { status: 'active', priority: ['medium'] } } }),
)
const edited = got(
  await api.PATCH('/api/tasks/{id}', {
    params: { path: { id: created.id }, header: { 'If-Match': `"${created.version}"` } },
    body: { priority: 'high' },
  }),
)
const completed = got(await api.POST('/api/tasks/{id}/complete', { params: { path: { id: created.id } } }))
const preferences = got(
  await api.PUT('/api/notifications/preferences', { body: { channels: { reminder: ['in_app'] } } }),
)
const status = got(await api.GET('/api/health/status'))
const refused = await api.GET('/api/tasks/{id}', { params: { path: { id: session.user.id } } })

process.stdout.write(
  JSON.stringify({
    user: session.user,
    created,
    reminded,
    listed: list.items.map((task: components['schemas']['Task']) => task.title),
    edited: { priority: edited.priority, color: edited.priority_color },
    completed: completed.is_completed,
    reminderChannels: preferences.channels.reminder,
    tasks: status.features.tasks.status,
    refused: refused.error?.code,
  }),
)

/** The data of the next event of this name. */
async function heard(name: string): Promise<unknown> {
  let text = ''
  for await (const part of events!.pipeThrough(new TextDecoderStream())) {
    text += part
    const found = new RegExp(`^event: ${name}\\n(?:.*\\n)*?data: (.*)\\n`, 'm').exec(text)
    if (found?.[1]) return JSON.parse(found[1])
  }
  throw new Error(`the stream ended without ${name}: ${text}`)
}

/** What a compiler has to refuse. */
export function mistakes(): Promise<unknown>[] {
  return [
    // @ts-expect-error -- a title is required
    api.POST('/api/tasks', { body: {} }),
    // @ts-expect-error -- no such priority
    api.PATCH('/api/tasks/{id}', { params: { path: { id: '' } }, body: { priority: 'urgent' } }),
    // @ts-expect-error -- no such path
    api.GET('/api/task'),
  ]
}
