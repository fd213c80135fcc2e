import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{functions,shared,dapr,profiles,scripts,testing,tools,web}/**/*.test.ts'],
    // They need what `npm run dapr:build` and `npm run k8s:build` make, a cluster, or a minute (`npm run test:restore`).
    exclude: ['**/node_modules/**', '**/*.{dapr,k8s,cluster,restore}.test.ts'],
    globalSetup: ['testing/worlds/postgres-server.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 3,
  },
})
