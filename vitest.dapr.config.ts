import { defineConfig } from 'vitest/config'
import { PROFILES } from './testing/conformance/harness/profile.ts'

const PATIENT = { testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks' } as const
/** For tests of whole Daybooks: nothing else runs beside them. */
const ALONE = { testTimeout: 90_000, hookTimeout: 120_000, pool: 'forks', maxWorkers: 1 } as const
/** The product on real Dapr, which the set-up of the project starts. */
const ON_REAL_DAPR = { ...ALONE, globalSetup: ['testing/product/harness/self-hosted.ts'] }

/** All that needs what `npm run dapr:build` makes (`npm run test:dapr`). */
export default defineConfig({
  test: {
    globalSetup: ['testing/worlds/postgres-server.ts', 'testing/conformance/harness/services.ts'],
    maxWorkers: 4,
    projects: [
      // The conformance suite: the same files against the embedded sidecar and every kind of daprd.
      ...PROFILES.map((profile) => ({
        test: {
          ...PATIENT,
          name: profile.name,
          include: ['testing/conformance/*.test.ts'],
          provide: { profile },
        },
      })),
      // The tools that start the real parts, and functions beside real sidecars.
      {
        test: { ...PATIENT, name: 'tools', include: ['{tools,functions,shared}/**/*.dapr.test.ts'] },
      },
      // The self-hosted profile, and the product while parts of it are killed.
      {
        test: {
          ...ALONE,
          name: 'self-hosted',
          include: ['profiles/self-hosted/*.dapr.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      // The black-box tests of the product, which `npm test` runs on the embedded sidecar.
      {
        test: {
          ...ON_REAL_DAPR,
          name: 'product on kafka',
          include: [
            'testing/product/*.test.ts',
            'functions/{openapi,hostile-input,sync/list-changes}.test.ts',
          ],
          provide: { broker: 'kafka' },
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...ON_REAL_DAPR,
          name: 'product on redis',
          include: ['testing/product/{rfc5545,trace,reminders}.test.ts'],
          provide: { broker: 'redis' },
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
