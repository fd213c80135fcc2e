import serveMcp from '../../functions/mcp/serve-mcp.ts'
import createApiToken from '../../functions/auth/create-api-token.ts'
import getPreferences from '../../functions/notifications/get-preferences.ts'
import addReminder from '../../functions/reminders/add-reminder.ts'
import listAllReminders from '../../functions/reminders/list-all-reminders.ts'
import listChanges from '../../functions/sync/list-changes.ts'
import createTask from '../../functions/tasks/create-task.ts'
import deleteTask from '../../functions/tasks/delete-task.ts'
import getTask from '../../functions/tasks/get-task.ts'
import listTasks from '../../functions/tasks/list-tasks.ts'
import type { NewApiToken } from '../../shared/domain/auth/api-token.ts'
import { SCOPES } from '../../shared/domain/scopes.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { tokenOf } from './compose-daybook.ts'
import { identityWorld } from './identity-world.ts'

/** `/mcp` with some of the functions behind its tools, in one process whose clock the test moves. */
export async function mcpApp(env: Record<string, string> = {}) {
  const world = await identityWorld(env)
  const functions = [createTask, getTask, deleteTask, listTasks, addReminder, listAllReminders, listChanges]
  const app = mountFunctions([...functions, getPreferences, serveMcp], world.deps)
  const post = async (token: string, message: unknown, connection: object = {}) =>
    app.request(
      '/mcp',
      {
        method: 'POST',
        body: JSON.stringify(message),
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
      },
      { incoming: { socket: { remoteAddress: '203.0.113.9' } }, ...connection },
    )
  return {
    ...world,
    post,
    callFunction: world.call,
    async newToken() {
      const { id } = await world.external()
      const json = { name: systemIds.uuid(), scopes: Object.keys(SCOPES) }
      const { body } = await world.call<NewApiToken>(createApiToken, { token: tokenOf(id), json })
      return { userId: id, token: body.token }
    },
    /** What a tool answers. */
    async call(token: string, name: string, args: object = {}) {
      const answer = await post(token, callOf(name, args))
      const { result } = (await answer.json()) as {
        result: { isError?: boolean; content: { text: string }[] }
      }
      const value = JSON.parse(result.content[0]!.text) as Record<string, unknown>
      return { isError: result.isError === true, value }
    },
  }
}

export const callOf = (name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
})
