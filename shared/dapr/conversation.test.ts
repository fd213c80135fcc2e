import { describe, expect, it } from 'vitest'
import { daprFailure, json, mockSidecar } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()
const call = { id: 'call_1', name: 'add_task', arguments: '{"title":"Pay rent"}' }
const messages = [{ role: 'user', text: 'Pay rent on Monday' }] as const

describe('converse', () => {
  it('sends every kind of message and the tools in the form of the API', async () => {
    const seen = answerWith(json({ outputs: [] }))
    const tool = {
      name: 'add_task',
      description: 'Adds a task',
      parameters: { type: 'object', properties: {} },
    }
    await dapr.converse('assistant', {
      messages: [
        { role: 'system', text: 'Be brief' },
        ...messages,
        { role: 'assistant', text: '', toolCalls: [call] },
        { role: 'tool', toolCallId: 'call_1', name: 'add_task', text: 'done' },
      ],
      tools: [tool],
      temperature: 0.2,
    })
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0-alpha2/conversation/assistant/converse' })
    const { id, ...fn } = call
    expect(seen[0]?.json()).toEqual({
      inputs: [
        {
          messages: [
            { ofSystem: { content: [{ text: 'Be brief' }] } },
            { ofUser: { content: [{ text: 'Pay rent on Monday' }] } },
            { ofAssistant: { content: [{ text: '' }], toolCalls: [{ id, function: fn }] } },
            { ofTool: { toolId: 'call_1', name: 'add_task', content: [{ text: 'done' }] } },
          ],
        },
      ],
      tools: [{ function: tool }],
      toolChoice: 'auto',
      temperature: 0.2,
    })
  })

  it('joins text and tool calls of all choices, whatever empty fields are left out', async () => {
    answerWith(
      json({
        outputs: [
          { choices: [{ finishReason: 'stop', index: '0', message: { content: 'On it.' } }] },
          {
            choices: [
              {
                message: {
                  toolCalls: [{ id: 'call_1', function: { name: call.name, arguments: call.arguments } }],
                },
              },
            ],
          },
          { choices: [{}] },
          {},
        ],
      }),
    )
    expect(await dapr.converse('assistant', { messages })).toEqual({ text: 'On it.', toolCalls: [call] })
  })

  it('gives an empty reply for an empty answer', async () => {
    answerWith(json({}))
    expect(await dapr.converse('assistant', { messages })).toEqual({ text: '', toolCalls: [] })
  })

  it('takes a deadline of its own, since models are slow', async () => {
    answerWith(() => new Promise<Response>(() => {}))
    await expect(dapr.converse('assistant', { messages, timeoutMs: 20 })).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('within 20 ms'),
    })
  })

  it('throws when the model failed and when the answer has another shape', async () => {
    answerWith(daprFailure(500, 'ERR_CONVERSATION_INVOKE', 'rate limited'))
    await expect(dapr.converse('assistant', { messages })).rejects.toMatchObject({ kind: 'refused' })
    answerWith(json({ outputs: 'hello' }))
    await expect(dapr.converse('assistant', { messages })).rejects.toMatchObject({ kind: 'malformed' })
  })
})
