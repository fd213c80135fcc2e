import { defineConfig } from 'vitest/config'

/** Daybook on the cluster that `npm run cluster:up` has made (`npm run test:cluster`): nothing runs beside anything. */
const ALONE = { testTimeout: 600_000, hookTimeout: 120_000, pool: 'forks', maxWorkers: 1 } as const

export default defineConfig({
  test: {
    globalSetup: ['testing/cluster/harness/installation.ts'],
    maxWorkers: 1,
    projects: [
      { test: { ...ALONE, name: 'cluster', include: ['testing/cluster/*.cluster.test.ts'] } },
      // The black-box tests of the product, through the gateway of the cluster.
      {
        test: {
          ...ALONE,
          name: 'product on the cluster',
          include: ['testing/product/{identity,rfc5545,trace}.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
