import { fileURLToPath } from 'node:url'
import { KUBECONFIG, NETWORK } from '../../../tools/cluster/places.ts'
import { upgrade, type Release } from '../../../tools/k8s/helm.ts'

export const NAMESPACE = 'daybook'
/** Where clients come in. */
export const GATEWAY = `http://${NETWORK.gateway}`

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const common = { namespace: NAMESPACE, kubeconfig: KUBECONFIG }

export const PLATFORM: Release = {
  ...common,
  name: 'daybook-platform',
  chart: at('../../../charts/daybook-platform'),
  values: [at('../values-platform.yaml')],
}
export const DAYBOOK: Release = {
  ...common,
  name: 'daybook',
  chart: at('../../../charts/daybook'),
  values: [at('../values-daybook.yaml')],
}

/** Installs it, or changes it; `settings` beside those of its file. */
export const install = async (release: Release, settings: readonly string[] = []): Promise<string> =>
  await upgrade({ ...release, settings })
