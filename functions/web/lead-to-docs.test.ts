import { expect, it } from 'vitest'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import leadToDocs from './lead-to-docs.ts'

const { deps } = await testDaybook()

it('leads a browser, and who follows the link of a mail, to the API reference', async () => {
  const answer = await mountFunctions([leadToDocs], deps).request('/')
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs'])
})
