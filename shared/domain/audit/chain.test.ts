import { expect, it } from 'vitest'
import { genesisOf, leafOf, linkOf } from './chain.ts'

// Worked out by another program: what is kept has to verify for years.
it('has the hashes that docs/audit.md describes', () => {
  const before = genesisOf('0199d0a0-0000-7000-8000-000000000000')
  expect(before.toString('hex')).toBe('7f6dc79ad813d7b82b0545a198bdcda2dcb0472dbfe15781176a3337dc521628')
  const leaf = leafOf(Buffer.alloc(32), '{"a":"é"}')
  expect(leaf.toString('hex')).toBe('44e611e7d9415f9c7306bb28a2c90ef701aee75a431adf36ae11e553feee7f33')
  const link = linkOf(before, { seq: 1, at: new Date(1_772_452_800_000), leaf })
  expect(link.toString('hex')).toBe('fa5dff8c27884deeb8d77bb224bf3e6afd51254556f903b0ffccd36dfde80b5c')
})
