import { describe, expect, it } from 'vitest'
import { healthDeps } from '../../shared/testing/health-deps.ts'
import type { OpenApiDocument } from '../../shared/kit/openapi.ts'
import apiDocument from './api-document.ts'

describe('GET /openapi.json', () => {
  it('answers the OpenAPI 3.1 document to anyone', async () => {
    const answer = await apiDocument.createApp(healthDeps().deps).request('/openapi.json')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const document = (await answer.json()) as OpenApiDocument
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(document.paths['/livez']?.get?.operationId).toBe('checkLiveness')
  })
})
