import { fileURLToPath } from 'node:url'
import { readArguments } from '../shared/arguments.ts'
import { failTool } from '../tools/fail-tool.ts'
import { run } from '../tools/k8s/helm.ts'
import { rollOut } from './deploy/roll-out.ts'
import { faultOf, untilServed } from './deploy/smoke.ts'

// `node scripts/deploy.ts --environment staging --image NAME@sha256:… --url https://…`: both charts on the cluster of the present
// kubeconfig, with charts/*/values-<environment>.yaml; back to the releases of before when Daybook does not answer.
const PATIENCE_MS = 180_000

const { environment, image, url, namespace } = readArguments(
  'node scripts/deploy.ts --environment staging|production --image NAME@sha256:… --url URL [--namespace NAME]',
  {
    options: {
      environment: { type: 'string', default: '' },
      image: { type: 'string', default: '' },
      url: { type: 'string', default: '' },
      namespace: { type: 'string', default: 'daybook' },
    },
  },
).values

try {
  if (!/^(staging|production)$/.test(environment)) throw new Error('--environment is staging or production')
  if (!/@sha256:[0-9a-f]{64}$/.test(image)) throw new Error('--image names a digest: NAME@sha256:…')
  if (!URL.canParse(url)) throw new Error('--url is the address of that Daybook')
  const fault = await rollOut({
    environment,
    image,
    namespace,
    charts: fileURLToPath(new URL('../charts', import.meta.url)),
    helm: run,
    smoke: () => untilServed(() => faultOf(url, fetch), PATIENCE_MS),
    say: (line) => void process.stdout.write(`${line}\n`),
  })
  if (fault !== undefined) throw new Error(fault)
} catch (error) {
  failTool(error)
}
