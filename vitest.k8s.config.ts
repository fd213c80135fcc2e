import { defineConfig } from 'vitest/config'

/** All that needs what `npm run k8s:build` makes, and no cluster (`npm run test:k8s`). */
export default defineConfig({
  test: { include: ['testing/{kubernetes,delivery}/*.k8s.test.ts'], testTimeout: 20_000 },
})
