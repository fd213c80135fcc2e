import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

it('shellcheck has nothing against the scripts', () => {
  const scripts = globSync(['scripts/*', '.ci/*'], { cwd: ROOT }).filter(
    (path) => !/\.(ts|cjs)$/.test(path) && /^#!.*\bbash\n/.test(textOf(path)),
  )
  expect(scripts.length).toBeGreaterThan(2)
  const { status, stdout, error } = spawnSync('shellcheck', scripts, { cwd: ROOT, encoding: 'utf8' })
  if (error) throw error
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
})

function textOf(path: string): string {
  return statSync(ROOT + path).isFile() ? readFileSync(ROOT + path, 'utf8') : ''
}
