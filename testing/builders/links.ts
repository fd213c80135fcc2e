import { createSignedLinks } from '../../shared/identity/signed-links.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'

/** Signed with a key that only this process has. */
export const testLinks = createSignedLinks({
  store: { linkKey: async (offered) => offered, addReset: async () => {} },
  ids: systemIds,
  clock: systemClock,
})
