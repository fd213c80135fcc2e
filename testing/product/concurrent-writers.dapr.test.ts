import { vi } from 'vitest'
import { concurrentWriters } from '../contracts/concurrent-writers.contract.ts'
import { product } from './harness/product.ts'

const { newUser } = await product()

concurrentWriters({
  register: newUser,
  untilDelivered: async (user) => {
    await vi.waitFor(
      async () => {
        const types = (await user.events()).map(({ type }) => type)
        if (!types.includes('task.occurrence.generated')) throw new Error(`so far: ${types.join()}`)
      },
      { timeout: 30_000 },
    )
  },
})
