import { beforeAll, describe, expect, it } from 'vitest'
import { component } from './harness/components.ts'
import { refusalOf } from './harness/refusal.ts'
import { startSidecar, type Driver } from './harness/sidecar.ts'

let dapr: Driver

beforeAll(async () => {
  dapr = await startSidecar({ hasPubsub: false, resources: [component('conversation', 'conversation.echo')] })
})

const converse = (body: unknown, name = 'conversation') =>
  dapr.call(`/v1.0-alpha2/conversation/${name}/converse`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const user = (text: string) => ({ ofUser: { content: [{ text }] } })
const told = (outputs: unknown) =>
  (outputs as { outputs: { choices: { message: unknown }[] }[] }).outputs[0]!.choices[0]!

describe('conversation echo', () => {
  it('answers with what it was told', async () => {
    const response = await converse({ contextId: 'c1', inputs: [{ messages: [user('hello there')] }] })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      contextId: 'c1',
      outputs: [
        {
          choices: [{ finishReason: 'stop', message: { content: 'hello there' } }],
          usage: { promptTokens: '2', completionTokens: '2', totalTokens: '4' },
        },
      ],
    })
  })

  it('joins all messages', async () => {
    const messages = [{ ofSystem: { content: [{ text: 'be kind' }] } }, user('hello')]
    expect(told(await (await converse({ inputs: [{ messages }] })).json())).toMatchObject({
      message: { content: 'be kind\nhello' },
    })
  })

  it('calls every tool that is offered, with the names of its parameters', async () => {
    const parameters = { type: 'object', properties: { title: {}, due: {} } }
    const response = await converse({
      inputs: [{ messages: [user('add a task')] }],
      tools: [{ function: { name: 'add_task', parameters } }],
      toolChoice: 'auto',
      temperature: 0.2,
    })
    expect(told(await response.json())).toMatchObject({
      finishReason: 'tool_calls',
      message: { toolCalls: [{ id: '0', function: { name: 'add_task', arguments: 'due,title' } }] },
    })
  })

  it('takes the calls of an assistant and the answers of a tool', async () => {
    const call = { id: 'call_1', function: { name: 'add_task', arguments: '{"title":"t"}' } }
    const messages = [
      user('add a task'),
      { ofAssistant: { content: [], toolCalls: [call] } },
      { ofTool: { toolId: 'call_1', name: 'add_task', content: [{ text: 'done' }] } },
    ]
    const response = await converse({ inputs: [{ messages }] })
    expect(response.status).toBe(200)
    expect(told(await response.json())).toMatchObject({
      message: {
        content: "add a task\nTool Response for tool ID 'call_1' with name 'add_task': done",
        toolCalls: [call],
      },
    })
  })

  const invalid =
    '400 ERR_CONVERSATION_INVALID_PARMS failed conversing with component conversation: invalid params'
  const choice =
    "%!(EXTRA string=tool choice must be 'auto', 'none', 'required', or a specific tool name matching the tools available to be used)"
  it.each([
    [
      'an unknown component',
      { inputs: [{}] },
      'nobody',
      '400 ERR_CONVERSATION_NOT_FOUND failed finding conversation component nobody',
    ],
    [
      'no inputs',
      {},
      'conversation',
      '400 ERR_CONVERSATION_MISSING_INPUTS failed conversing with component conversation: missing inputs in request',
    ],
    [
      'a required tool where none is offered',
      { inputs: [{ messages: [user('x')] }], tools: [], toolChoice: 'required' },
      'conversation',
      invalid + choice,
    ],
    ['an unknown field', { inputs: [], nonsense: 1 }, 'conversation', '400 ERR_CONVERSATION_MISSING_INPUTS'],
    [
      'a body that is no JSON',
      'x',
      'conversation',
      '400 ERR_MALFORMED_REQUEST failed deserializing HTTP body: ',
    ],
  ])('refuses %s', async (_, body, name, error) => {
    const refusal = await refusalOf(await converse(body, name))
    expect(refusal.slice(0, error.length)).toBe(error)
  })
})
