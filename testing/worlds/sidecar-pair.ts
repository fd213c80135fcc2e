import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { temporaryDirectory } from '../sidecar/embedded-sidecar.ts'
import { startDaprd } from '../../tools/dapr/daprd.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { installHttp } from '../../shared/dapr/http.ts'

export const APP_TOKEN = 'of-the-sidecar'
const TOKENS = { DAPR_API_TOKEN: 'of-the-client', APP_API_TOKEN: APP_TOKEN }
const COMPONENTS = new URL('../../dapr/components/', import.meta.url)

const configuration = (names: string) => `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: test }
spec:
  tracing: { samplingRate: '1' }
  nameResolution: { component: sqlite, version: v1, configuration: { connectionString: '${names}' } }
`

/**
 * Two daprds with Daybook's resiliency: one of a caller, by whose client an app is called, and one of the callee, whose
 * app must already listen on `appPort`. Call it in `beforeAll`.
 */
export async function sidecarPair(caller: string, appPort: number, callee = 'tasks-api') {
  installHttp()
  const [folder, resources] = [await temporaryDirectory(), await temporaryDirectory()]
  const config = join(folder, 'config.yaml')
  await writeFile(config, configuration(join(folder, 'names.db')))
  await copyResiliency(resources)
  const shared = { resourcesPaths: [resources], configFiles: [config], env: TOKENS }
  const options = {
    appId: callee,
    appPort,
    ...shared,
    logFile: join(folder, 'callee.log'),
    appHealthCheck: { path: '/healthz', probeIntervalSeconds: 1, probeTimeoutMs: 500, threshold: 3 },
  }
  const own = await startDaprd({ appId: caller, ...shared, logFile: join(folder, 'caller.log') })
  afterAll(() => own.kill())
  let theirs = await startDaprd(options)
  afterAll(() => theirs.kill())
  await theirs.whenHealthy()
  return {
    dapr: createDaprClient({
      baseUrl: own.baseUrl,
      token: TOKENS.DAPR_API_TOKEN,
      timeoutMs: 10_000,
      fetch: (url, init) => fetch(url, init),
    }),
    killCallee: () => theirs.kill(),
    /** In its place, on the same ports. */
    restartCallee: async () => {
      theirs = await startDaprd({ ...options, ports: theirs.ports })
    },
  }
}

/** Each policy in a file of its own: daprd 1.18.2 reads the first document of a Resiliency file and forgets the others. */
async function copyResiliency(folder: string): Promise<void> {
  const files = (await readdir(COMPONENTS)).filter((file) => file.endsWith('.yaml'))
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, COMPONENTS), 'utf8')))
  const documents = texts
    .flatMap((text) => text.split(/^---$/m))
    .filter((text) => /^kind: Resiliency$/m.test(text))
  await Promise.all(documents.map((text, index) => writeFile(join(folder, `resiliency-${index}.yaml`), text)))
}
