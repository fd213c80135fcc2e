/**
 * `npm run cluster:up|down|status`: a Kubernetes of one node with Dapr, Knative and KEDA, and Kafka and PostgreSQL beside it,
 * on a bridge of its own. Safe to run twice. `npm run cluster:down -- --images` forgets images, too.
 */
import { readFileSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { withBuildLock } from '../build-lock.ts'
import { failTool } from '../fail-tool.ts'
import { ProgramError } from '../program-error.ts'
import { makeCertificates } from './certificates.ts'
import { runNow, succeeds } from './command.ts'
import { daemons, stopDaemon } from './daemon.ts'
import { installDapr } from './dapr.ts'
import { installDns } from './dns.ts'
import { putImages } from './images.ts'
import { startBroker } from './kafka.ts'
import { installKeda } from './keda.ts'
import { installKnative } from './knative.ts'
import { kubectl } from './kubectl.ts'
import { makeNetwork, removeNetwork } from './network.ts'
import { startContainerd, startControlPlane, startNode, stopNode } from './node.ts'
import { FOLDER, KUBECONFIG, place } from './places.ts'
import { startPostgres } from './postgres.ts'
import { buildAll } from './programs.ts'
import { checkRequirements } from './requirements.ts'

const started = performance.now()
const say = (line: string) => {
  const seconds = Math.round((performance.now() - started) / 1000)
  process.stdout.write(`${`${seconds} s`.padStart(6)}  ${line}\n`)
}

/** Says when it is done, and how long it took. */
async function step(name: string, work: () => Promise<void> | void): Promise<void> {
  const begun = performance.now()
  await work()
  say(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
}

async function up(): Promise<void> {
  await buildAll(say)
  makeCertificates()
  makeNetwork()
  await step('containerd', startContainerd)
  await step('images', () => putImages(say))
  await step('API server', startControlPlane)
  await step('node', startNode)
  await step('names', installDns)
  await Promise.all([
    step('PostgreSQL', startPostgres),
    step('Kafka', startBroker),
    step('Dapr', installDapr),
    step('Knative', installKnative),
    step('KEDA', installKeda),
  ])
  say(`The cluster is up: export KUBECONFIG=${KUBECONFIG} PATH=${place('bin')}:$PATH`)
}

/** Programs, and images where they are not to be forgotten, stay for the next time; everything else goes. */
async function down(withImages: boolean): Promise<void> {
  await step('node', stopNode)
  for (const { name } of daemons()) await stopDaemon(name)
  for (const path of mounts()) succeeds('umount', ['-l', path])
  removeNetwork()
  runNow('find', [
    '/sys/fs/cgroup',
    '-depth',
    '-type',
    'd',
    '-path',
    '*/kubepods*',
    '-exec',
    'rmdir',
    '{}',
    ';',
  ])
  const state = ['etcd', 'kubelet', 'pod-logs', 'postgres/data', 'kafka', 'containerd/state', 'certificates']
  for (const part of [...state, 'run', ...(withImages ? ['containerd', 'images'] : [])])
    rmSync(place(part), { recursive: true, force: true })
  say('The cluster is down.')
}

/** What is mounted below the folder, the innermost first. */
const mounts = (): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${FOLDER}/`))
    .toSorted()
    .toReversed()

async function status(): Promise<void> {
  const found = daemons()
  if (found.length === 0) return say('The cluster is down.')
  for (const { name, pid } of found) say(`${name}: ${pid === undefined ? 'has ended' : `pid ${pid}`}`)
  process.stdout.write(await kubectl('get', 'pods', '--all-namespaces'))
}

process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { images: { type: 'boolean', default: false } },
  })
  const commands: Record<string, () => Promise<void>> = { up, down: () => down(values.images), status }
  const command = commands[positionals[0] ?? '']
  if (!command) throw new ProgramError('usage', `Name one of ${Object.keys(commands).join(', ')}.`)
  checkRequirements()
  await withBuildLock(place('lock'), command, (pid) => say(`Waiting for another one (pid ${pid}).`))
} catch (error) {
  failTool(error)
}
