import { defineConfig } from 'vitest/config'

/** Backups and restores of the embedded profile, with the drill (`npm run test:restore`); they time themselves, so one by one. */
export default defineConfig({
  test: {
    include: ['{profiles,testing}/**/*.restore.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
