import { spawnSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { program } from '../../tools/delivery/programs.ts'
import { ROOT } from '../worlds/source-files.ts'
import { workflows } from './workflows.ts'

const lint = (paths: readonly string[], cwd = ROOT) =>
  spawnSync(program('actionlint'), ['-no-color', '-oneline', ...paths], { cwd, encoding: 'utf8' })

it('actionlint has nothing against the workflows', () => {
  expect(lint(workflows.map(({ path }) => path))).toMatchObject({ status: 0, stdout: '' })
})

it('actionlint finds what is wrong with one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-workflow-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, '.github/workflows'), { recursive: true })
  const file = '.github/workflows/wrong.yml'
  writeFileSync(
    join(folder, file),
    'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ steps.none.outputs.x }}\n',
  )
  expect(lint([file], folder).stdout).toContain('property "none" is not defined')
})
