import { defineConfig } from 'vitest/config'
import { PROFILES } from './dapr/conformance/testing/profile.ts'

/** The conformance suite: the same files against the embedded sidecar and every kind of daprd (`npm run test:dapr`). */
export default defineConfig({
  test: {
    globalSetup: ['shared/testing/postgres-server.ts', 'dapr/conformance/testing/services.ts'],
    maxWorkers: 4,
    projects: PROFILES.map((profile) => ({
      test: {
        name: profile.name,
        include: ['dapr/conformance/*.test.ts'],
        provide: { profile },
        testTimeout: 60_000,
        hookTimeout: 60_000,
        pool: 'forks',
      },
    })),
  },
})
