import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../../testing/worlds/source-files.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import type { OpenApiDocument } from './openapi.ts'

/** The first call builds the tool. */
const BUILDS_MS = 600_000

const released = () => JSON.parse(readFileSync(`${ROOT}docs/api/released.json`, 'utf8')) as OpenApiDocument

function diff(document: OpenApiDocument) {
  const path = join(temporaryFolder(), 'openapi.json')
  writeFileSync(path, JSON.stringify(document))
  const { status, stdout } = spawnSync(process.execPath, [`${ROOT}scripts/api-diff.ts`, '--present', path], {
    encoding: 'utf8',
  })
  return { status, stdout }
}

it('what the last release said breaks nothing, and neither does more of it', { timeout: BUILDS_MS }, () => {
  const document = released()
  expect(diff(document).status).toBe(0)
  document.paths['/api/new'] = document.paths['/api/tags']!
  expect(diff(document).status).toBe(0)
})

it('an operation that is gone and a field that is required now are told', { timeout: BUILDS_MS }, () => {
  const document = released()
  delete document.paths['/api/tags']
  ;(document.components.schemas.TaskInput!.required as string[]).push('priority')
  const { status, stdout } = diff(document)
  expect(status).toBe(1)
  expect(stdout).toContain('GET /api/tags')
  expect(stdout).toContain('`priority` became required')
})
