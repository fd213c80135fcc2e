import { defineConfig } from 'vitest/config'
import { PROFILES } from './dapr/conformance/testing/profile.ts'

const PATIENT = { testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks' } as const

/** The conformance suite: the same files against the embedded sidecar and every kind of daprd (`npm run test:dapr`),
 * and the tests of the tools that start the real parts. */
export default defineConfig({
  test: {
    globalSetup: ['shared/testing/postgres-server.ts', 'dapr/conformance/testing/services.ts'],
    maxWorkers: 4,
    projects: [
      ...PROFILES.map((profile) => ({
        test: {
          ...PATIENT,
          name: profile.name,
          include: ['dapr/conformance/*.test.ts'],
          provide: { profile },
        },
      })),
      { test: { ...PATIENT, name: 'tools', include: ['tools/**/*.dapr.test.ts'] } },
    ],
  },
})
