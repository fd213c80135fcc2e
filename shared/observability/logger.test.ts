import { describe, expect, it } from 'vitest'
import { createLogger, silentLogger, type Logger } from './logger.ts'

function capture(level: 'info' | 'warn' = 'info') {
  const lines: string[] = []
  const logger = createLogger({
    level,
    service: 'tasks-api',
    destination: { write: (line) => lines.push(line) },
  })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }
}

describe('createLogger', () => {
  it('writes one JSON line with level, time, service, bound fields and message', () => {
    const { logger, lines, last } = capture()
    logger
      .child({ function: 'tasks/create-task', request_id: 'r1', trace_id: 't1' })
      .info({ count: 2 }, 'Published')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: 'tasks-api',
      function: 'tasks/create-task',
      request_id: 'r1',
      trace_id: 't1',
      count: 2,
      msg: 'Published',
    })
  })

  it('writes nothing below its level', () => {
    const { logger, lines } = capture('warn')
    logger.info('quiet')
    logger.child({ a: 1 }).info('quiet')
    expect(lines).toEqual([])
    logger.warn('heard')
    expect(lines).toHaveLength(1)
  })

  it.each(['authorization', 'password', 'token', 'refresh_token', 'email', 'title', 'description'])(
    'redacts the field %s at any depth and in a child',
    (field) => {
      const { logger, lines } = capture()
      logger.info({ [field]: 'ses"ame', deep: { deeper: [{ [field]: 'sesame\n' }] } }, 'x')
      logger.child({ [field]: 'sesame' }).info('x')
      expect(lines).toHaveLength(2)
      for (const line of lines) {
        expect(line).not.toContain('ame')
        expect(line).toContain(`"${field}":"[redacted]"`)
        expect(() => JSON.parse(line)).not.toThrow()
      }
    },
  )

  it.each([
    ['a mail address', 'mail to ann.o+x@mail.example.org failed', 'ann.o'],
    ['a mail address beyond ASCII', 'mail to jürgen@müller.de failed', 'jürgen'],
    ['a mail address after a line break', 'line\nbob@example.org', 'bob'],
    ['a mail address after a control character', 'line\u0001bob@example.org', 'bob'],
    ['a bearer token', 'sent Bearer abc.def-ghi==', 'abc.def'],
    ['a token of its own', 'got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'eyJzdWIi'],
    [
      'the password of a database address',
      'connecting to postgres://app:hunter2@db.example.org/app',
      'hunter2',
    ],
  ])('cuts %s out of messages, fields and errors and keeps the line valid', (_, text, secret) => {
    const { logger, lines } = capture()
    logger.info(text)
    logger.info({ reason: text }, 'x')
    logger.error({ err: new Error('outer', { cause: new Error(text) }) }, 'x')
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      expect(line).not.toContain(secret)
      expect(() => JSON.parse(line)).not.toThrow()
    }
  })

  it('keeps code, message, stack and causes of an error and drops the data it carries', () => {
    const { logger, last, lines } = capture()
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (x)=(My title)',
      parameters: ['My title'],
    })
    logger.error({ err: new TypeError('save failed', { cause }) }, 'Could not save')
    expect(last().err).toMatchObject({
      type: 'TypeError',
      message: 'save failed',
      stack: expect.stringContaining('logger.test.ts'),
      cause: { type: 'Error', code: '23505', message: 'duplicate key' },
    })
    expect(lines[0]).not.toContain('My title')
  })

  it('cuts the message of an error that quotes all that somebody sent', () => {
    const { logger, lines } = capture()
    logger.error({ err: new Error('eyJ'.repeat(1_000_000)) }, 'x')
    expect(lines[0]!.length).toBeLessThan(10_000)
  })

  it('survives an error that is its own cause and a thrown value that is none', () => {
    const { logger, last } = capture()
    const loop: Error & { cause?: unknown } = new Error('loop')
    loop.cause = loop
    logger.error({ err: loop }, 'x')
    expect(last().err).toMatchObject({ message: 'loop' })
    logger.error({ err: 'plain' }, 'x')
    expect(last().err).toBe('plain')
  })
})

describe('silentLogger', () => {
  it('accepts everything and gives children', () => {
    const logger: Logger = silentLogger.child({ a: 1 })
    expect(() => logger.error({ err: new Error('x') }, 'x')).not.toThrow()
  })
})
