import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import apiReference from './api-reference.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'

const { deps } = await testDaybook()

const get = (path: string) => mountFunctions([apiReference], deps).request(path)

/** Every address the page loads something from. */
const loaded = (page: string) => [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')

describe('GET /docs', () => {
  it('answers a page whose files all come from here', async () => {
    const answer = await get('/docs')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const files = loaded(await answer.text()).filter((address) => address.startsWith('docs/'))
    expect(files.length).toBeGreaterThan(3)
    for (const file of files) {
      const asset = await get(`/${file}`)
      expect([file, asset.status]).toEqual([file, 200])
      expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(50)
    }
  })

  it('loads nothing from elsewhere and holds no inline script', async () => {
    const page = await (await get('/docs')).text()
    expect(loaded(page).filter((address) => /^(https?:)?\/\//.test(address))).toEqual([])
    expect(page).not.toMatch(/<script>|<script (?![^>]*src=)|\son\w+=/)
    const policy = (await get('/docs')).headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'; script-src 'self';")
  })

  it('points the reference at our document and asks no foreign validator', async () => {
    const script = await (await get('/docs/show.js')).text()
    const shown: unknown[] = []
    runInNewContext(script, { SwaggerUIBundle: (options: unknown) => shown.push(options) })
    expect(shown).toMatchObject([{ url: 'openapi.json', validatorUrl: null }])
  })

  it.each(['/docs/package.json', '/docs/..%2Fpackage.json', '/docs/constructor', '/docs/swagger-ui.css.map'])(
    'serves nothing else of the package: %s',
    async (path) => {
      const answer = await get(path)
      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
    },
  )
})
