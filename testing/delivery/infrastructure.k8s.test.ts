import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { program } from '../../tools/delivery/programs.ts'
import { ROOT } from '../worlds/source-files.ts'
import { argumentsOf, files, inspect, modules, roots } from './infrastructure.ts'

it('every file is Terraform, and formatted', () => {
  const { status, stderr } = spawnSync(program('hclfmt'), ['-require-no-change', ...files], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

it('each environment has a root for each cloud', () => {
  const wanted = ['dev', 'production', 'staging'].flatMap((environment) =>
    ['aks', 'gke', 'oke'].map((cloud) => `infrastructure/environments/${environment}/${cloud}`),
  )
  expect(roots).toEqual(wanted)
})

it.each([...modules, ...roots])('%s can be read', (path) => {
  expect(inspect(path).diagnostics ?? []).toEqual([])
})

it.each(modules.filter((path) => !path.endsWith('/environment')))('%s pins its providers', (path) => {
  for (const { source, version_constraints: versions } of Object.values(inspect(path).required_providers)) {
    expect(source).toMatch(/^[a-z]+\/[a-z]+$/)
    expect(versions).toEqual([expect.stringMatching(/^~> \d+\.\d+$/)])
  }
})

it.each(roots)('%s gives its modules all that they ask for and nothing else', (root) => {
  for (const [call, { source }] of Object.entries(inspect(root).module_calls)) {
    const path = new URL(`${source}/`, `file:///${root}/`).pathname.slice(1, -1)
    expect(modules).toContain(path)
    const { variables } = inspect(path)
    const given = argumentsOf(root, call)
    expect(given.filter((name) => !(name in variables))).toEqual([])
    const required = Object.entries(variables).filter(([, { required: isRequired }]) => isRequired)
    expect(required.map(([name]) => name).filter((name) => !given.includes(name))).toEqual([])
  }
})

it('the clouds answer with the same outputs, so that what follows does not ask which it is', () => {
  const named = ['aks', 'gke', 'oke'].map((cloud) =>
    Object.keys(inspect(`infrastructure/modules/${cloud}`).outputs),
  )
  const common = [
    'database_host',
    'kafka_brokers',
    'kubeconfig_command',
    'name_servers',
    'network_policy_peers',
    'secret_store',
  ]
  for (const outputs of named) expect(outputs).toEqual(expect.arrayContaining(common))
})
