import { describe, expect, it } from 'vitest'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import type { OpenApiDocument } from '../../shared/openapi/openapi.ts'
import apiDocument from './api-document.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'

const { deps } = await testDaybook()

describe('GET /openapi.json', () => {
  it('answers the OpenAPI 3.1 document to anyone', async () => {
    const answer = await mountFunctions([apiDocument], deps).request('/openapi.json')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const document = (await answer.json()) as OpenApiDocument
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(document.paths['/livez']?.get?.operationId).toBe('checkLiveness')
  })
})
