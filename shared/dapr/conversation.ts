import { z } from 'zod'
import { readJson, type Transport } from './transport.ts'

interface ToolCall {
  readonly id: string
  readonly name: string
  /** Meant to be JSON, but written by a model: parse with care. */
  readonly arguments: string
}

type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly toolCallId: string; readonly name: string; readonly text: string }

interface Tool {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: object
}

export interface Conversation {
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly Tool[]
  /** 0 to 1. */
  readonly temperature?: number
  readonly timeoutMs?: number
}

export interface Reply {
  readonly text: string
  /** To be carried out by the caller and answered by `tool` messages in a further call. */
  readonly toolCalls: readonly ToolCall[]
}

const WireToolCall = z.object({
  id: z.string().default(''),
  function: z.object({ name: z.string(), arguments: z.string().default('') }),
})
const WireMessage = z.object({
  content: z.string().default(''),
  toolCalls: z.array(WireToolCall).default([]),
})
// protojson leaves empty fields out.
const ConverseAnswer = z.object({
  outputs: z
    .array(z.object({ choices: z.array(z.object({ message: WireMessage.optional() })).default([]) }))
    .default([]),
})

/** One turn with a language model. Source: Dapr Conversation API reference, v1.0-alpha2. */
export function createConverse({ call }: Transport) {
  return async function converse(component: string, conversation: Conversation): Promise<Reply> {
    const { messages, tools = [], temperature, timeoutMs } = conversation
    const operation = `converse ${component}`
    const answer = await call({
      operation,
      method: 'POST',
      path: ['v1.0-alpha2', 'conversation', component, 'converse'],
      json: {
        inputs: [{ messages: messages.map(toWire) }],
        ...(tools.length === 0
          ? {}
          : { tools: tools.map((tool) => ({ function: tool })), toolChoice: 'auto' }),
        temperature,
      },
      timeoutMs,
    })
    const { outputs } = readJson(operation, answer, ConverseAnswer)
    const replies = outputs.flatMap(({ choices }) => choices.flatMap(({ message }) => message ?? []))
    return {
      text: replies.map(({ content }) => content).join(''),
      toolCalls: replies.flatMap(({ toolCalls }) => toolCalls.map(({ id, function: fn }) => ({ id, ...fn }))),
    }
  }
}

function toWire(message: ChatMessage): object {
  const content = [{ text: message.text }]
  switch (message.role) {
    case 'system':
      return { ofSystem: { content } }
    case 'user':
      return { ofUser: { content } }
    case 'tool':
      return { ofTool: { toolId: message.toolCallId, name: message.name, content } }
    case 'assistant': {
      const calls = message.toolCalls?.map(({ id, ...fn }) => ({ id, function: fn }))
      return { ofAssistant: { content, toolCalls: calls } }
    }
  }
}
