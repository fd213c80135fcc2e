import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../shared/testing/source-files.ts'

describe('generate', () => {
  it('finds docs/openapi.json and docs/events as the code says they are', () => {
    const check = spawnSync(process.execPath, ['scripts/generate.ts', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(check.stderr).toBe('')
    expect(check.status).toBe(0)
  })
})
