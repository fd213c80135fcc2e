import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { ROOT } from '../worlds/source-files.ts'
import { stepsOf, workflows } from './workflows.ts'

const scripts: Record<string, string> = packageJson.scripts
const runs = workflows.flatMap((workflow) =>
  stepsOf(workflow).flatMap(({ run, name }) => (run === undefined ? [] : [{ run, name: name ?? run }])),
)

describe('workflows', () => {
  it.each(workflows)(
    '$path may do little: its rights are said, its jobs end, its actions are pinned',
    (workflow) => {
      expect(workflow.permissions).toBeDefined()
      expect(workflow.concurrency).toBeDefined()
      expect(Object.values(workflow.permissions ?? {}).filter((right) => right === 'write')).toEqual([])
      for (const job of Object.values(workflow.jobs))
        if (job.uses === undefined) expect(job['timeout-minutes']).toBeGreaterThan(0)
      const actions = stepsOf(workflow).flatMap(({ uses }) => (uses === undefined ? [] : [uses]))
      expect(actions.filter((uses) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(uses))).toEqual([])
    },
  )

  it('pin an action to one commit, everywhere the same, and say which version it is', () => {
    const pins = new Map<string, Set<string>>()
    for (const { path } of workflows) {
      for (const [line, name, pin] of readFileSync(ROOT + path, 'utf8').matchAll(
        /uses: ([\w-]+\/[\w-]+)@([0-9a-f]{40} # v[\d.]+)?.*/g,
      )) {
        expect(`${path}: ${line}`).toMatch(/ # v\d/)
        pins.set(name!, (pins.get(name!) ?? new Set()).add(pin ?? ''))
      }
    }
    expect([...pins].filter(([, versions]) => versions.size > 1)).toEqual([])
  })

  it.each(runs)('$name is a script that bash reads, without a value of an expression in it', ({ run }) => {
    expect(spawnSync('bash', ['-n', '-c', run], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    })
    // What somebody else may have written, a branch's name say, would be part of the script.
    expect(run).not.toContain('${{')
  })

  it('name commands and files that exist', () => {
    const text = runs.map(({ run }) => run).join('\n')
    const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!)
    expect(commands.filter((name) => scripts[name] === undefined)).toEqual([])
    const files = [...text.matchAll(/(?:node|bash) ((?:\.ci|scripts)\/[\w./-]+)/g)].map(([, file]) => file!)
    expect(files.length).toBeGreaterThan(0)
    const versions = workflows.flatMap(({ path }) =>
      [...readFileSync(ROOT + path, 'utf8').matchAll(/go-version-file: (\S+)/g)].map(([, file]) => file!),
    )
    expect([...files, ...versions].filter((file) => !existsSync(ROOT + file))).toEqual([])
  })

  it('refuse a tag that is not the version', () => {
    const check = (tag: string) =>
      spawnSync(process.execPath, ['scripts/release-version.ts', tag], { cwd: ROOT, encoding: 'utf8' })
    expect(check(`v${packageJson.version}`)).toMatchObject({ status: 0, stderr: '' })
    expect(check('v99.0.0').stderr).toContain(`package.json says ${packageJson.version}`)
  })
})
