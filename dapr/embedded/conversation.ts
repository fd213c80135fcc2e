import { Hono } from 'hono'
import { z } from 'zod'
import { findComponent, type SidecarContext } from './context.ts'
import { apiError, malformedRequest, messageOf } from './errors.ts'
import { readText } from './requests.ts'

const Content = z.object({ content: z.array(z.object({ text: z.string().default('') })).default([]) })
const ToolCall = z.object({
  id: z.string().optional(),
  function: z.object({ name: z.string(), arguments: z.string().default('') }).optional(),
})
const Message = z.object({
  ofDeveloper: Content.optional(),
  ofSystem: Content.optional(),
  ofUser: Content.optional(),
  ofAssistant: Content.extend({ toolCalls: z.array(ToolCall).default([]) }).optional(),
  ofTool: Content.extend({ toolId: z.string().default(''), name: z.string().default('') }).optional(),
})
type Message = z.infer<typeof Message>

const Tool = z.object({
  function: z.object({
    name: z.string(),
    parameters: z.object({ properties: z.record(z.string(), z.unknown()).optional() }).nullish(),
  }),
})

const Body = z.object({
  contextId: z.string().optional(),
  inputs: z.array(z.object({ messages: z.array(Message).default([]) })).default([]),
  tools: z.array(Tool).optional(),
  toolChoice: z.string().default(''),
})

// Word for word what Dapr answers, with the mark that Go leaves where a format has no place for an argument.
const BAD_TOOL_CHOICE =
  "%!(EXTRA string=tool choice must be 'auto', 'none', 'required', or a specific tool name matching the tools available to be used)"

/**
 * `POST /v1.0-alpha2/conversation/{name}/converse` for `conversation.echo`: answers with what it was told and, when
 * tools are offered, with a call of each of them whose arguments are the names of its parameters, not JSON.
 */
export function conversationRoutes(context: SidecarContext): Hono {
  const app = new Hono()
  app.post('/v1.0-alpha2/conversation/:name/converse', async (c) => {
    const name = c.req.param('name')
    const body = await readText(c.req.raw)
      .then((text) => Body.parse(JSON.parse(text || '{}')))
      .catch((error: unknown) => {
        throw malformedRequest(messageOf(error))
      })
    const refuse = (code: string, reason: string) => apiError(400, `ERR_CONVERSATION_${code}`, reason)
    if (!findComponent(context, name, 'conversation.')) {
      throw refuse('NOT_FOUND', `failed finding conversation component ${name}`)
    }
    if (body.inputs.length === 0) {
      throw refuse('MISSING_INPUTS', `failed conversing with component ${name}: missing inputs in request`)
    }
    const messages = body.inputs.flatMap((input) => input.messages)
    const isKnownTool = body.tools?.some((tool) => tool.function.name === body.toolChoice) ?? true
    const isMissing = body.toolChoice === 'required' ? !body.tools?.length : !isKnownTool
    const isNamed = !['', 'auto', 'none'].includes(body.toolChoice)
    const badParameters = `failed conversing with component ${name}: invalid params`
    if (messages.some((message) => Object.keys(message).length === 0)) {
      throw refuse('INVALID_PARMS', badParameters)
    }
    if (isNamed && isMissing) throw refuse('INVALID_PARMS', `${badParameters}${BAD_TOOL_CHOICE}`)
    return c.json(echo(body, messages))
  })
  return app
}

function echo({ contextId, tools }: z.infer<typeof Body>, messages: readonly Message[]): unknown {
  const content = messages.flatMap(textsOf).join('\n')
  const offered = (tools ?? []).map((tool, index) => ({
    id: String(index),
    function: {
      name: tool.function.name,
      arguments: Object.keys(tool.function.parameters?.properties ?? {})
        .toSorted()
        .join(','),
    },
  }))
  const toolCalls = [...offered, ...messages.flatMap(({ ofAssistant }) => ofAssistant?.toolCalls ?? [])]
  const words = content.split(/\s+/).filter((word) => word !== '').length
  // Protobuf JSON: 64-bit numbers are texts, zero and empty fields are left out.
  const usage =
    words === 0 ? {} : { completionTokens: `${words}`, promptTokens: `${words}`, totalTokens: `${words * 2}` }
  return {
    ...(contextId && { contextId }),
    outputs: [
      {
        choices: [
          {
            finishReason: toolCalls.length > 0 ? 'tool_calls' : 'stop',
            message: { ...(content !== '' && { content }), ...(toolCalls.length > 0 && { toolCalls }) },
          },
        ],
        usage,
      },
    ],
  }
}

function textsOf({ ofTool, ...others }: Message): string[] {
  const tool = ofTool?.content.map(
    ({ text }) => `Tool Response for tool ID '${ofTool.toolId}' with name '${ofTool.name}': ${text}`,
  )
  return [
    ...Object.values(others).flatMap((part) => part?.content.map(({ text }) => text) ?? []),
    ...(tool ?? []),
  ]
}
