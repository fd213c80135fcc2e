import { kubectl } from '../../../tools/cluster/kubectl.ts'
import { NODE_NAME } from '../../../tools/cluster/places.ts'

interface Summary {
  pods: {
    podRef: { name: string; namespace: string }
    containers?: { name: string; memory?: { workingSetBytes?: number } }[]
  }[]
}

/** What the kubelet counts as used by each container, in MiB. */
export async function memoryOf(
  namespace: string,
): Promise<{ pod: string; containers: Record<string, number> }[]> {
  const text = await kubectl('get', '--raw', `/api/v1/nodes/${NODE_NAME}/proxy/stats/summary`)
  const { pods } = JSON.parse(text) as Summary
  return pods
    .filter(({ podRef }) => podRef.namespace === namespace)
    .map(({ podRef, containers = [] }) => ({
      pod: podRef.name,
      containers: Object.fromEntries(
        containers.map(({ name, memory }) => [name, (memory?.workingSetBytes ?? 0) / 1_048_576]),
      ),
    }))
}
