import { describe, expect, it } from 'vitest'
import { daprFailure, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()

describe('invokeBinding', () => {
  it('sends operation, data and metadata', async () => {
    const seen = answerWith(noContent)
    const request = {
      operation: 'create',
      data: '<p>Hi</p>',
      metadata: { emailTo: 'a@example.org', subject: 'Hi' },
    }
    expect(await dapr.invokeBinding('mail', request)).toEqual({ data: '', metadata: {} })
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0/bindings/mail' })
    expect(seen[0]?.json()).toEqual(request)
  })

  it('gives what the outside system answered, also when it is no JSON, and the metadata', async () => {
    answerWith(
      () => new Response('<h1>gone</h1>', { headers: { 'metadata.statusCode': '410', 'x-other': '1' } }),
    )
    expect(await dapr.invokeBinding('push', { operation: 'post' })).toEqual({
      data: '<h1>gone</h1>',
      metadata: { statuscode: '410' },
    })
  })

  it('throws when the binding failed', async () => {
    answerWith(daprFailure(500, 'ERR_INVOKE_OUTPUT_BINDING', 'error invoking output binding mail: 550'))
    await expect(dapr.invokeBinding('mail', { operation: 'create' })).rejects.toMatchObject({
      kind: 'refused',
      operation: 'binding mail create',
      errorCode: 'ERR_INVOKE_OUTPUT_BINDING',
    })
  })

  it('takes a deadline of its own and does not send it', async () => {
    const seen = answerWith(() => new Promise<Response>(() => {}))
    await expect(dapr.invokeBinding('mail', { operation: 'create', timeoutMs: 20 })).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('within 20 ms'),
    })
    expect(seen[0]?.json()).toEqual({ operation: 'create' })
  })
})
