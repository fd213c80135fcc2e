import { MINUTE_MS } from '../domain/durations.ts'
import type { DomainError } from '../domain/errors.ts'
import { parseJson } from '../domain/parse-json.ts'
import { problemOf, toDomainError } from '../kit/problem.ts'
import { idempotencyKey, toolRequest, type ToolArguments, type ToolRequest } from './tool-request.ts'
import { isTooLarge, TOO_LARGE } from './result-size.ts'
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
  /** Makes the next request with this Idempotency-Key a new one, if it was answered by then. */
  forgetAnswer(key: string, answeredUntil: Date): Promise<void>
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
    const once = idempotencyKey(tool, args, caller.principal)
    const { idempotency_key: _key, ...fields } = args
    const request = toolRequest(tool, fields, once && once.key)
    const answer = await (once?.isDerived ? askOnce(caller, request, once.key) : caller.ask(request))
    const result = await resultOf(answer, tool)
    if (result.value.scope !== undefined && result.isError) caller.onMissingScope(tool.call.scope)
    return result
  } catch (error) {
    const known = toDomainError(error)
    if (known.code === 'internal') caller.onFailure(error)
    return refused(told(known))
  }
}

/** Calls without a key that are alike and come within a minute are one call, sent again. */
const ALIKE_MS = MINUTE_MS

/** What equal calls have added is still what is asked for, unless it was some time ago, or is there no more. */
async function askOnce(caller: ToolCaller, request: ToolRequest, key: string): Promise<Response> {
  const now = caller.now()
  await caller.forgetAnswer(key, new Date(now.getTime() - ALIKE_MS))
  const answer = await caller.ask(request)
  const path = answer.headers.get('location')
  if (!isReplay(answer) || path === null) return answer
  const { status } = await caller.ask({ method: 'GET', path, headers: {} })
  if (status !== 404) return answer
  await caller.forgetAnswer(key, now)
  return caller.ask(request)
}

const isReplay = ({ headers }: Response): boolean => headers.get('idempotency-replayed') === 'true'

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
  if (call.method === 'GET' && isTooLarge(text)) {
    return refused({ code: 'tool.result_too_large', detail: `${TOO_LARGE} Ask for less, by limit.` })
  }
  for (const name of call.hides) delete (body as Record<string, unknown>)[name]
  return {
    isError: false,
    value: {
      ...(lean(body) as Record<string, unknown>),
      ...(isReplay(answer) && {
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
