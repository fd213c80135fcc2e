import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../../../tools/cluster/command.ts'
import { daemons, isRunning } from '../../../tools/cluster/daemon.ts'
import { startBroker } from '../../../tools/cluster/kafka.ts'
import { kubectl } from '../../../tools/cluster/kubectl.ts'
import { containers } from '../../../tools/cluster/node.ts'
import { startPostgres } from '../../../tools/cluster/postgres.ts'
import { until, type Pods } from './pods.ts'
import { NAMESPACE } from './releases.ts'

/** One thing that goes wrong; resolves when it is done, and what it has hit may still be coming back. */
export interface Disruption {
  name: string
  run(pods: Pods): Promise<void>
}

const OUTAGE_MS = 3000

/** As a node that is gone takes its pods with it. */
const killPod = (app: string): Disruption => ({
  name: `kill a pod of ${app}`,
  run: async (pods) => {
    const [pod] = pods.living(app)
    if (pod) await kubectl('-n', NAMESPACE, 'delete', 'pod', pod.name, '--force', '--grace-period=0')
  },
})

/** As a drain of the node does. */
const evict = (app: string): Disruption => ({
  name: `evict a pod of ${app}`,
  run: async (pods) => {
    const [pod] = pods.living(app)
    if (pod) await kubectl('-n', NAMESPACE, 'delete', 'pod', pod.name, '--wait=false')
  },
})

const killContainer = (app: string, container: string): Disruption => ({
  name: `kill ${container} of ${app}`,
  run: async (pods) => {
    const pod = pods.living(app).find(({ readyAt }) => readyAt !== undefined)
    if (!pod) return // asleep
    const labels = { 'io.kubernetes.pod.name': pod.name, 'io.kubernetes.container.name': container }
    const filter = Object.entries(labels).map(([name, value]) => `labels."${name}"==${value}`)
    const listed = await run('ctr', containers('containers', 'ls', '-q', filter.join(',')))
    const ids = listed.split('\n').filter(Boolean)
    if (ids.length === 0) throw new Error(`${pod.name} has no container ${container}`)
    await Promise.any(ids.map((id) => run('ctr', containers('tasks', 'kill', '-s', 'SIGKILL', id))))
  },
})

/** A process of the node that crashes, and is started again a moment later. */
const crash = (name: string, start: () => Promise<void>): Disruption => ({
  name: `kill ${name}`,
  run: async () => {
    const pid = daemons().find((daemon) => daemon.name === name)?.pid
    if (pid === undefined) throw new Error(`${name} does not run`)
    process.kill(pid, 'SIGKILL')
    await until(`the end of ${name}`, () => !isRunning(name))
    await delay(OUTAGE_MS)
    await start()
  },
})

export const DISRUPTIONS: readonly Disruption[] = [
  evict('edge'),
  killPod('edge'),
  evict('tasks-api'),
  killPod('tasks-api'),
  killContainer('tasks-api', 'daprd'),
  killContainer('edge', 'daprd'),
  killContainer('recurrence-worker', 'daprd'),
  killContainer('recurrence-worker', 'recurrence-worker'),
  killPod('recurrence-worker'),
  crash('kafka', startBroker),
  crash('postgres', startPostgres),
]
