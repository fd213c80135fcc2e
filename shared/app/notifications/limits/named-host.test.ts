import { expect, it } from 'vitest'
import { namedHost } from './named-host.ts'

it.each(['https://victim.example/', 'https://VICTIM.example:1/a', 'https://victim.example.:2/b'])(
  'takes %s for the same host as any other spelling and port of it',
  (url) => {
    expect(namedHost({ channel: 'webhook', url, secret: '' })).toBe('victim.example')
  },
)
