import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, inject } from 'vitest'
import { testDatabaseTarget } from '../../worlds/database.ts'
import { startDaprd, type Daprd } from '../../../tools/dapr/daprd.ts'
import { pubsubComponent, stateComponent } from './components.ts'
import { serveApp } from './served-app.ts'
import type { Driver, SidecarSetup } from './sidecar.ts'

/** A daprd of its own process, and the app on a port of its own. */
export async function startDaprdDriver(setup: SidecarSetup): Promise<Driver> {
  const { appId, app } = setup
  const { directory: root, scheduler } = inject('services')
  const directory = join(root, appId)
  const resources = join(directory, 'resources')
  await mkdir(resources, { recursive: true })
  const texts = [
    ...(setup.hasPubsub ? [pubsubComponent('pubsub')] : []),
    ...(setup.hasState ? [stateComponent(await testDatabaseTarget())] : []),
    ...setup.resources.map((text) => text.replaceAll('secrets.json', join(directory, 'secrets.json'))),
  ]
  await Promise.all(texts.map((text, index) => writeFile(join(resources, `${index}.yaml`), text)))
  await writeFile(join(directory, 'secrets.json'), JSON.stringify(setup.secrets))
  await writeFile(join(directory, 'config.yaml'), configuration(join(root, 'names.db')))

  let served = await serveApp((request) => app.fetch(request))
  afterAll(() => served.close())
  const launch = async (ports?: Daprd['ports']): Promise<Daprd> => {
    const daprd = await startDaprd({
      appId,
      appPort: served.port,
      resourcesPaths: [resources],
      configFiles: [join(directory, 'config.yaml')],
      schedulerAddress: scheduler,
      logFile: join(root, `${appId}.log`),
      env: { ...setup.env, DAPR_API_TOKEN: setup.apiToken, APP_API_TOKEN: setup.appToken },
      ...(ports && { ports }),
      ...(setup.checksAppHealth && { appHealthCheck: { probeIntervalSeconds: 1, threshold: 1 } }),
    })
    await daprd.whenHealthy()
    return daprd
  }
  for (const [name, peer] of Object.entries(setup.peers)) {
    await startDaprdDriver({ ...setup, appId: name, app: peer, peers: {}, resources: [], hasPubsub: false })
  }
  let daprd = await launch()
  afterAll(() => daprd.kill())
  return {
    appId,
    app,
    call: async (path, init) => await fetch(daprd.baseUrl + path, init),
    stop: async () => await daprd.stop(),
    crash: async () => await daprd.kill(),
    stopApp: async () => await served.close(),
    async startApp() {
      served = await serveApp((request) => app.fetch(request), served.port)
    },
    async start() {
      daprd = await launch(daprd.ports)
    },
  }
}

// Loopback has no multicast, so apps find each other in a file.
function configuration(names: string): string {
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: { name: 'conformance' },
    spec: {
      nameResolution: { component: 'sqlite', version: 'v1', configuration: { connectionString: names } },
      tracing: { samplingRate: '0.1' },
    },
  })
}
