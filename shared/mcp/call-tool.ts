import type { DomainError } from '../domain/errors.ts'
import { parseJson } from '../domain/parse-json.ts'
import { problemOf, toDomainError } from '../kit/problem.ts'
import { idempotencyKeys, toolRequest, type ToolArguments, type ToolRequest } from './tool-request.ts'
import { lean } from './lean.ts'
import type { Tool } from './tool.ts'

/** Who calls tools, and how: chat and MCP call them alike. */
export interface ToolCaller {
  tools: readonly Tool[]
  /** Asks the function as the caller, by its own HTTP handler: login, limits and validation are those of every request. */
  ask(request: ToolRequest): Promise<Response>
  /** Of the caller's token: calls of two tokens are never the same call. */
  principal: string
  now(): Date
  /** What nobody foresaw; the caller is told that it happened and nothing else. */
  onFailure(error: unknown): void
  onMissingScope(scope: Tool['call']['scope']): void
  /** Whether a request with this Idempotency-Key has been answered. */
  isAnswered(key: string): Promise<boolean>
}

/** What was done, or why not. Texts of users are values in it and nowhere else. */
export interface ToolResult {
  isError: boolean
  value: Record<string, unknown>
}

export async function callTool(caller: ToolCaller, name: string, given: ToolArguments): Promise<ToolResult> {
  const tool = caller.tools.find((one) => one.name === name)
  if (!tool) return refused({ code: 'tool.not_found', detail: `There is no tool ${JSON.stringify(name)}.` })
  try {
    const { confirm, ...args } = given
    if (tool.call.destroys && confirm !== true) return await preview(caller, tool, args)
    const keys = idempotencyKeys(tool, args, { principal: caller.principal, now: caller.now() })
    const { idempotency_key: _key, ...fields } = args
    const key = keys && (await keyOf(caller, keys))
    const result = await resultOf(await caller.ask(toolRequest(tool, fields, key)), tool)
    if (result.value.scope !== undefined && result.isError) caller.onMissingScope(tool.call.scope)
    return result
  } catch (error) {
    const known = toDomainError(error)
    if (known.code === 'internal') caller.onFailure(error)
    return refused(told(known))
  }
}

const keyOf = async (caller: ToolCaller, { key, before }: { key: string; before: string | null }) =>
  before !== null && (await caller.isAnswered(before)) ? before : key

/** Of what destroys, without `confirm`: what would go, as far as the caller may see it. */
async function preview(caller: ToolCaller, tool: Tool, args: ToolArguments): Promise<ToolResult> {
  const { idempotency_key: _key, if_version: _version, ...fields } = args
  const { path } = toolRequest(tool, fields, null)
  const found = await caller.ask({ method: 'GET', path, headers: {} })
  const shown = found.ok ? await resultOf(found, tool) : null
  if (found.status === 404 && Object.keys(tool.call.params).length > 0) {
    const problem = (await resultOf(found, tool)).value
    if (problem.code !== 'request.not_found') return refused(problem)
  }
  return {
    isError: false,
    value: {
      done: false,
      next: 'Nothing was changed. Ask the user, then call again with confirm: true.',
      ...(shown && { would_go: shown.value }),
    },
  }
}

async function resultOf(answer: Response, { call }: Pick<Tool, 'call'>): Promise<ToolResult> {
  const text = await answer.text()
  const body = text === '' ? { done: true } : parseJson(text)
  if (!answer.ok) {
    const wait = answer.headers.get('retry-after')
    const problem = pickProblem(body)
    return refused({
      ...problem,
      ...(wait !== null && { retry_after_seconds: Number(wait) }),
      ...(problem.code === 'auth.insufficient_scope' && { scope: call.scope }),
    })
  }
  const isRepeated = answer.headers.get('idempotency-replayed') === 'true'
  return {
    isError: false,
    value: {
      ...(lean(body) as Record<string, unknown>),
      ...(isRepeated && {
        repeated: true,
        note: 'An equal call was answered before. To do it again, send another idempotency_key.',
      }),
    },
  }
}

const told = (error: DomainError): Record<string, unknown> => pickProblem(problemOf(error, ''))

/** What a model can act on. */
function pickProblem(body: unknown): Record<string, unknown> {
  const { code, detail, errors } = body as { code?: string; detail?: string; errors?: object[] }
  return { code, detail, ...(errors && { errors }) }
}

const refused = (value: Record<string, unknown>): ToolResult => ({ isError: true, value })
