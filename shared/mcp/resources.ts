import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { DAY_MS } from '../domain/durations.ts'
import { isAllowed, type Scope } from '../domain/scopes.ts'
import { DATA_KEY } from './data-mark.ts'
import { lean } from './lean.ts'
import { isTooLarge, TOO_LARGE } from './result-size.ts'
import type { McpCaller } from './mcp-server.ts'

/** The user is part of every URI, so that one of somebody else is refused before anything is read. */
const URI = /^daybook:\/\/users\/([\da-f-]{36})\/(today|upcoming|changes|tasks\/([\da-f-]{36}))$/
const UPCOMING_DAYS = 7

interface Listed {
  name: string
  description: string
  scope: Scope
  path: (now: Date) => string
}

const LISTED: readonly Listed[] = [
  {
    name: 'today',
    description: 'Open tasks that are due today',
    scope: 'tasks:read',
    path: () => '/api/tasks?status=active&due=today&limit=100',
  },
  {
    name: 'upcoming',
    description: `Open tasks that are due within ${UPCOMING_DAYS} days`,
    scope: 'tasks:read',
    path: (now) => {
      const until = new Date(now.getTime() + UPCOMING_DAYS * DAY_MS)
      return `/api/tasks?status=active&due_after=${now.toISOString()}&due_before=${until.toISOString()}&limit=100`
    },
  },
  {
    name: 'changes',
    description: 'The first changes that are kept; go on from next_since with the tool list_changes',
    scope: 'changes:read',
    path: () => '/api/changes?limit=100',
  },
]

const uriOf = (userId: string, name: string): string => `daybook://users/${userId}/${name}`

export const listResources = ({ userId, scopes }: Pick<McpCaller, 'userId' | 'scopes'>) =>
  LISTED.filter(({ scope }) => isAllowed(scopes, scope)).map(({ name, description }) => ({
    uri: uriOf(userId, name),
    name,
    description,
    mimeType: 'application/json',
  }))

export const RESOURCE_TEMPLATES = (userId: string) => [
  {
    uriTemplate: uriOf(userId, 'tasks/{id}'),
    name: 'task',
    description: 'One task with its next occurrences',
    mimeType: 'application/json',
  },
]

export async function readResource(
  { userId, ask, now }: Pick<McpCaller, 'userId' | 'ask' | 'now'>,
  uri: string,
) {
  const [, owner, name = '', taskId] = URI.exec(uri) ?? []
  if (owner !== userId) throw new ResourceNotFoundError(uri)
  const listed = LISTED.find((one) => one.name === name)
  const path = listed ? listed.path(now()) : `/api/tasks/${taskId ?? ''}`
  const answer = await ask({ method: 'GET', path, headers: {} })
  if (answer.status === 404) throw new ResourceNotFoundError(uri)
  const body: unknown = await answer.json()
  if (!answer.ok) {
    const { detail } = body as { detail: string }
    throw new ProtocolError(ProtocolErrorCode.InternalError, detail)
  }
  if (isTooLarge(JSON.stringify(body))) {
    throw new ProtocolError(ProtocolErrorCode.InternalError, `${TOO_LARGE} Read it by tools.`)
  }
  return {
    contents: [
      { uri, mimeType: 'application/json', text: JSON.stringify(lean(body)), _meta: { [DATA_KEY]: true } },
    ],
  }
}
