import { fileURLToPath } from 'node:url'
import { buildGoPrograms, pinnedIn, type GoModule } from '../go-programs.ts'
import { BINARIES } from './binaries.ts'

const MODULE: GoModule = { of: 'Dapr', folder: fileURLToPath(new URL('./', import.meta.url)) }
/** All components: SMTP, conversation and SQLite name resolution are not among the stable ones. */
const PROGRAMS = [
  { name: 'scheduler', tags: [] },
  { name: 'daprd', tags: ['-tags', 'allcomponents'] },
] as const

/** Builds daprd and the scheduler from the module in this folder, with the flags of Dapr's own releases (its Makefile). */
export async function buildBinaries(say: (line: string) => void, folder = BINARIES): Promise<void> {
  await build(PROGRAMS, folder, say)
}

/** The same for what Dapr runs in Kubernetes besides: `dapr-operator` and so on. */
export async function buildControlPlane(say: (line: string) => void, folder: string): Promise<void> {
  await build(
    ['operator', 'injector', 'placement', 'sentry'].map((name) => ({ name, as: `dapr-${name}`, tags: [] })),
    folder,
    say,
  )
}

async function build(
  programs: readonly { name: string; as?: string; tags: readonly string[] }[],
  folder: string,
  say: (line: string) => void,
): Promise<void> {
  const version = pinnedIn(MODULE, /^\s*(?:require )?github\.com\/dapr\/dapr v([\d.]+)(?: |$)/m)
  const specs = programs.map(({ name, as = name, tags }) => ({
    name: as,
    source: `github.com/dapr/dapr/cmd/${name}`,
    version,
    flags: ['-ldflags', linkerFlags(version), ...tags],
  }))
  await buildGoPrograms(MODULE, specs, folder, say)
}

function linkerFlags(version: string): string {
  const info = 'github.com/dapr/dapr/pkg/buildinfo'
  const values = {
    [`${info}.version`]: version,
    [`${info}.gitversion`]: `v${version}`,
    'github.com/dapr/kit/logger.DaprVersion': version,
  }
  return ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)].join(' ')
}
