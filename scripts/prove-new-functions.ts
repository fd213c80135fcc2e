/**
 * Proves that a function is one file and its test (`npm run test:new`): in a copy of the repository, `npm run new` makes a
 * function of each kind in a service that was not there, and nothing else is done by hand. Runs every check and test of
 * the copy, which takes some minutes.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { readArguments } from '../shared/arguments.ts'
import { isBuilt } from '../tools/k8s/programs.ts'

readArguments('npm run test:new', {})
const ROOT = fileURLToPath(new URL('../', import.meta.url))
const NEW: [name: string, kind: string, detail?: string][] = [
  ['samples/list-samples', 'http', 'GET /api/samples'],
  ['samples/show-samples', 'routes', 'GET /samples'],
  ['samples/note-change', 'topic', 'task.created'],
  ['samples/sweep-samples', 'cron', '@every 5m'],
  ['samples/fire-sample', 'job'],
  // In a service that is there, on a resource that is.
  ['tasks/archive-task', 'http', 'POST /api/tasks/:id/archive'],
]
const copy = mkdtempSync(join(tmpdir(), 'daybook-new-'))
const run = (...command: string[]) => {
  console.log(`== ${command.join(' ')}`)
  execFileSync(command[0]!, command.slice(1), { cwd: copy, stdio: 'inherit' })
}
const git = (...args: string[]) => execFileSync('git', args, { cwd: copy, encoding: 'utf8' })
const text = (path: string) => readFileSync(join(copy, path), 'utf8')
const yaml = (path: string): unknown => parse(text(path))

const scopes = (path: string) => (yaml(path) as { scopes: string[] }).scopes
const nameOf = (document: unknown) => (document as { metadata?: { name?: string } } | null)?.metadata?.name

try {
  chmodSync(copy, 0o755)
  copyRepository()
  for (const [name, kind, detail = ''] of NEW) run('npm', 'run', '--silent', 'new', name, kind, detail)
  const changed = changedPaths()
  run('npm', 'run', '--silent', 'render')
  assert.deepEqual(changedPaths(), changed, 'npm run new has not rendered all that follows')
  run('npm', 'run', '--silent', 'check')
  run('npm', 'test')
  if (isBuilt('helm')) theManifestsHaveIt()
  else console.log('The manifests were not rendered: Helm is not built yet; run npm run k8s:build.')
  everyOtherFileIsGenerated(changed)
  theNewServiceIsEverywhere()
  othersKeepTheirPorts()
  whatIsNotDeclaredDoesNotCompile()
  console.log('One file and its test: scoped, routed, invocable, scaled, documented and reported.')
} finally {
  rmSync(copy, { recursive: true, force: true })
}

function copyRepository(): void {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  })
  const archive = execFileSync('tar', ['--null', '--files-from=-', '-cf', '-'], {
    cwd: ROOT,
    input: files,
    maxBuffer: 512 * 1024 * 1024,
  })
  execFileSync('tar', ['-xf', '-', '-C', copy], { input: archive })
  const linked = ['node_modules', 'testing/generated-client/node_modules']
  const built = isBuilt('helm') ? ['tools/k8s/bin', 'tools/delivery/bin'] : []
  for (const path of [...linked, ...built]) {
    symlinkSync(join(ROOT, path), join(copy, path))
  }
  git('init', '--quiet')
  git('add', '--all')
  git('-c', 'user.name=test', '-c', 'user.email=test@example.org', 'commit', '--quiet', '--message', 'before')
}

function changedPaths(): string[] {
  return git('status', '--porcelain', '--untracked-files=all')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(3))
}

function everyOtherFileIsGenerated(paths: readonly string[]): void {
  const written = NEW.flatMap(([name]) => [`functions/${name}.ts`, `functions/${name}.test.ts`])
  const others = paths.filter((path) => !written.includes(path))
  assert.deepEqual(
    others.filter((path) => !/\bGenerated\b/.test(text(path).slice(0, 200))),
    [],
    'a file that a person wrote has changed',
  )
  assert.deepEqual(
    written.filter((path) => !paths.includes(path)),
    [],
  )
}

function theNewServiceIsEverywhere(): void {
  // Scoped: what it needs, and what calls it, and nothing else.
  assert.ok(scopes('dapr/components/pubsub.yaml').includes('samples-api'))
  assert.ok(scopes('dapr/variants/pubsub-kafka-sasl.yaml').includes('samples-worker'))
  assert.ok(!scopes('dapr/components/mail.yaml').includes('samples-worker'))
  const crons = parseAllDocuments(text('dapr/components/cron.yaml')).map(
    (document) => document.toJS() as unknown,
  )
  const cron = crons.find((each) => nameOf(each) === 'sweep-samples-cron')
  assert.deepEqual((cron as { scopes: string[] }).scopes, ['samples-worker'])
  // Routed and invocable.
  const routes = text('functions/routes.ts')
  for (const route of [
    "'GET /api/samples': 'samples/list-samples'",
    "'GET /samples': 'samples/show-samples'",
    "'POST /api/:user_id/tasks/:id/archive': 'tasks/archive-task'",
  ]) {
    assert.ok(routes.includes(route), route)
  }
  const { spec } = yaml('dapr/components/resiliency-gateway.yaml') as {
    spec: { targets: { apps: Record<string, object> } }
  }
  assert.ok('samples-api' in spec.targets.apps)
  // In the charts, and scaled.
  const { units, apps } = yaml('charts/daybook/files/functions.yaml') as {
    units: Record<string, { scaling: { kind: string; min: number } }>
    apps: Record<'unit' | 'function', { app: string }[]>
  }
  assert.equal(units['samples-api']?.scaling.kind, 'knative')
  assert.deepEqual([units['samples-worker']?.scaling.kind, units['samples-worker']?.scaling.min], ['keda', 1])
  assert.ok(apps.unit.some(({ app }) => app === 'samples-api'))
  assert.ok(apps.function.some(({ app }) => app === 'samples-list-samples'))
  const { components } = yaml('charts/daybook-platform/files/components.yaml') as {
    components: Record<string, { scopes: string[] }>
  }
  assert.ok(components['pubsub']?.scopes.includes('samples-worker'))
  // Documented.
  const document = JSON.parse(text('docs/openapi.json')) as {
    paths: Record<string, object>
    tags: { name: string }[]
  }
  assert.ok('/api/samples' in document.paths)
  assert.ok(document.tags.some(({ name }) => name === 'samples'))
  assert.match(text('docs/functions.md'), /## samples/)
  assert.match(text('docs/mcp-tools.json'), /"list_samples"/)
  // Reported: functions/health/get-feature-status.test.ts asks for every service there is.
  assert.match(text('functions/features.ts'), /samples: /)
}

/** A Knative Service, a scaler and a tick, and no rule of the manifests broken. */
function theManifestsHaveIt(): void {
  assert.equal(nameOf(yaml('knative/40-samples-api.yaml')), 'samples-api')
  const named = (path: string, kind: string) =>
    parseAllDocuments(text(path)).flatMap((document) => {
      const each = document.toJS() as { kind?: string } | null
      return each?.kind === kind ? [nameOf(each)] : []
    })
  assert.ok(named('knative/30-units.yaml', 'ScaledObject').includes('samples-worker'))
  assert.ok(named('knative/10-platform.yaml', 'Component').includes('sweep-samples-cron'))
  assert.ok(named('knative/10-platform.yaml', 'HTTPEndpoint').includes('samples-api'))
  run('npm', 'run', '--silent', 'test:k8s')
}

function othersKeepTheirPorts(): void {
  for (const path of ['dapr.yaml', 'dapr-redis.yaml']) {
    const [added = '', removed = ''] = git('diff', '--numstat', '--', path).split('\t')
    assert.ok(Number(added) > 0, `${path} has no new unit`)
    assert.equal(removed, '0', `${path} changes a unit that was there`)
  }
}

function whatIsNotDeclaredDoesNotCompile(): void {
  const path = join(copy, 'functions/samples/list-samples.ts')
  const before = readFileSync(path, 'utf8')
  const greedy = before.replace(
    /handle: async \(\) => .*/,
    'handle: async ({ deps }) => ({ body: { done: await deps.housekeeping.purge(deps.clock.now(), {} as never) } }),',
  )
  assert.notEqual(greedy, before)
  writeFileSync(path, greedy)
  const compiled = spawnSync('npx', ['tsc', '--noEmit'], { cwd: copy, encoding: 'utf8' })
  assert.notEqual(compiled.status, 0)
  assert.match(compiled.stdout, /samples\/list-samples\.ts.*Property 'housekeeping' does not exist/)
  writeFileSync(path, before)
}
