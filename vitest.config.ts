import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{functions,shared,dapr,profiles,scripts,testing,tools}/**/*.test.ts'],
    // They need what `npm run dapr:build` makes.
    exclude: ['**/node_modules/**', '**/*.dapr.test.ts'],
    globalSetup: ['testing/worlds/postgres-server.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 3,
  },
})
