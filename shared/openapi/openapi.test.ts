import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { OPEN } from '../../testing/builders/open-function.ts'
import { httpFunction, type HttpFunction } from '../kit/http-function.ts'
import { openApiDocument } from './openapi.ts'

const Card = z.object({ id: z.uuid(), version: z.int() }).meta({ id: 'Card' })
const handle = async () => ({ body: {} })

const getCard = httpFunction({
  ...OPEN,
  route: 'GET /api/cards/:id',
  auth: 'tasks:read',
  output: Card,
  params: z.object({ id: z.uuid() }),
})
const putCard = httpFunction({
  route: 'PUT /api/cards/:id',
  summary: 'Replace a card',
  auth: 'tasks:read',
  uses: [],
  output: Card,
  handle,
  retrySafe: true,
  refuses: ['task.not_recurring'],
  params: z.object({ id: z.uuid() }),
  query: z.object({ scope: z.enum(['this', 'all']).default('this'), at: z.string().describe('When') }),
  body: z
    .object({ size: z.coerce.number().default(3).describe('In inches') })
    .meta({ examples: [{ size: 4 }] }),
})
const listCards = httpFunction({
  ...OPEN,
  route: 'GET /api/cards',
  output: z.object({ items: z.array(Card) }),
})

const notAsked = () => Promise.reject(new Error('not asked in this test'))
const watchCards = httpFunction({
  ...OPEN,
  route: 'GET /api/cards/stream',
  auth: 'tasks:read',
  query: z.object({ last_event_id: z.string().optional() }),
  events: { dealt: Card },
  ticket: { find: notAsked, take: notAsked },
})

const named = (functions: Record<string, HttpFunction>): HttpFunction[] =>
  Object.entries(functions).map(([name, fn]) => ({ ...fn, name }))
const document = openApiDocument(
  named({ 'cards/put-card': putCard, 'cards/get-card': getCard, 'cards/list-cards': listCards }),
  '1.2.3',
  (service) => `About ${service}`,
)
const put = document.paths['/api/cards/{id}']?.put
const get = document.paths['/api/cards/{id}']?.get

describe('openApiDocument', () => {
  it('lists the operations by path, named by their file and grouped by their service', () => {
    expect(Object.keys(document.paths)).toEqual(['/api/cards', '/api/cards/{id}'])
    expect(put).toMatchObject({ operationId: 'putCard', summary: 'Replace a card', tags: ['cards'] })
    expect(document.info.version).toBe('1.2.3')
  })

  it('describes every parameter that the kit reads, and only those', () => {
    const parameters = put?.parameters?.map(({ name, in: place, required }) => [place, name, required])
    expect(parameters).toEqual([
      ['path', 'id', true],
      ['query', 'scope', false],
      ['query', 'at', true],
      ['header', 'If-Match', false],
      ['header', 'If-None-Match', false],
      ['header', 'Idempotency-Key', false],
    ])
    expect(put?.parameters?.[2]?.description).toBe('When')
    expect(get?.parameters?.map(({ name }) => name)).toEqual(['id', 'If-None-Match'])
  })

  it('describes a live stream by its events, what it resumes from, and the ticket that opens it', () => {
    const paths = openApiDocument(named({ 'cards/watch-cards': watchCards }), '1', String).paths
    expect(paths['/api/cards/stream']?.get).toMatchObject({
      security: [{ bearer: ['tasks:read'] }, { ticket: [] }],
      parameters: [
        { name: 'last_event_id', in: 'query' },
        { name: 'Last-Event-ID', in: 'header', required: false },
      ],
      responses: {
        '200': {
          content: { 'text/event-stream': { 'x-events': { dealt: { $ref: '#/components/schemas/Card' } } } },
        },
      },
    })
  })

  it('describes requests as clients write them and answers as clients read them', () => {
    expect(put?.requestBody?.content['application/json']?.schema).toMatchObject({
      properties: { size: { type: 'number', description: 'In inches. Default: 3' } },
    })
    expect(put?.requestBody?.content['application/json']?.schema).not.toHaveProperty('required')
    expect(put?.requestBody?.content['application/json']?.example).toEqual({ size: 4 })
    expect(get?.responses['200']).toMatchObject({
      headers: { ETag: {} },
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Card' } } },
    })
    expect(document.components.schemas.Card).toMatchObject({ required: ['id', 'version'] })
  })

  it('lists the refusals of the kit and those a function names', () => {
    const statuses = ['200', '400', '401', '403', '404', '409', '412', '413', '415', '422', '429', '503']
    expect(Object.keys(put?.responses ?? {})).toEqual(statuses)
    expect(document.components.responses['Refusal429']?.headers).toHaveProperty('Retry-After')
    expect(put?.responses['409']).toMatchObject({
      description: expect.stringMatching(/request\.conflict.*; task\.not_recurring/) as string,
    })
    expect(Object.keys(get?.responses ?? {})).toEqual([
      '200',
      '304',
      '401',
      '403',
      '404',
      '422',
      '429',
      '503',
    ])
    expect(Object.keys(document.paths['/api/cards']?.get?.responses ?? {})).toEqual(['200', '429'])
  })

  it('asks for a token exactly where the function does', () => {
    expect(put?.security).toEqual([{ bearer: ['tasks:read'] }])
    expect(document.paths['/api/cards']?.get?.security).toEqual([])
  })

  it('refuses two different schemas under one name', () => {
    const other = httpFunction({
      ...OPEN,
      route: 'GET /api/decks',
      output: z.object({ cards: z.int() }).meta({ id: 'Card' }),
    })
    const functions = named({ 'cards/get-card': getCard, 'cards/list-decks': other })
    expect(() => openApiDocument(functions, '1', String)).toThrow('Two different schemas are called Card')
  })
})
