import { expect, it } from 'vitest'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import described from './describe-resource.ts'

// What it says is in issue-oauth-tokens.test.ts.
it('is there where PUBLIC_URL says by which name clients come, and nowhere else', async () => {
  const { deps } = await testDaybook()
  const status = async (issuer: string) => {
    const app = mountFunctions([described], { ...deps, settings: { ...deps.settings, issuer } })
    return (await app.request('/.well-known/oauth-protected-resource')).status
  }
  expect(await status('https://daybook.example')).toBe(200)
  expect(await status('urn:daybook')).toBe(404)
})
