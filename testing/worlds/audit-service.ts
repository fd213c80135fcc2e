import { recordMissed } from '../../shared/app/audit/record-audit.ts'
import { asSidecar } from './compose-daybook.ts'
import { taskService, type Client } from './task-service.ts'

const AUDIT_FUNCTIONS = [
  'audit/record-audit',
  'audit/list-audit',
  'audit/list-activity',
  'audit/export-audit',
  'audit/verify-audit',
  'audit/sign-checkpoint',
  'audit/prune-audit',
]

/** Writes of tasks with the audit trail of them. Call at the top of a file. */
export async function auditService(also: string[] = []) {
  const service = await taskService([...AUDIT_FUNCTIONS, ...also])
  const { app, deps } = service
  const cron = (name: string) => app.request(`/dapr/cron/${name}-cron`, { method: 'POST', ...asSidecar })
  return {
    ...service,
    record: () => recordMissed(deps),
    signCheckpoint: () => cron('sign-checkpoint'),
    prune: () => cron('prune-audit'),
    get: async <Body>(user: Client, path: string) => {
      const got = await user.send('GET', path)
      if (got.status !== 200) throw new Error(`GET ${path}: ${got.status} ${JSON.stringify(got.body)}`)
      return got.body as Body
    },
    /** As it comes, for what is not JSON. */
    getText: async (user: Client, path: string) => {
      const answer = await app.request(path, { headers: { authorization: `Bearer user.${user.id}` } })
      return { status: answer.status, headers: answer.headers, text: await answer.text() }
    },
  }
}
