interface RollOut {
  environment: string
  image: string
  namespace: string
  /** The folder of the charts. */
  charts: string
  /** Answers what Helm prints; throws where it fails. */
  helm(args: readonly string[]): string
  /** What is wrong with what is deployed; undefined when it serves. */
  smoke(): Promise<string | undefined>
  say(line: string): void
}

/** In this order; back in the other. */
const RELEASES = ['daybook-platform', 'daybook'] as const
const TIMEOUT = '10m'

/**
 * Brings both releases to the image. An upgrade that fails is rolled back by Helm itself; one that Daybook does not serve
 * after, here. Resolves to why everything is as it was before, or to nothing.
 */
export async function rollOut(options: RollOut): Promise<string | undefined> {
  const { helm, namespace, say } = options
  const before = revisionsOf(helm(['list', '--namespace', namespace, '--output', 'json']))
  const upgraded: string[] = []
  let fault: string | undefined
  try {
    for (const release of RELEASES) {
      helm(upgradeOf(release, options))
      upgraded.push(release)
      say(`upgraded ${release}`)
    }
    fault = await options.smoke()
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error)
  }
  if (fault === undefined) return undefined
  for (const release of upgraded.toReversed()) {
    const revision = before.get(release)
    if (revision === undefined) {
      say(`left ${release} as it is: there is no release of before`)
      continue
    }
    helm(['rollback', release, revision, '--namespace', namespace, '--wait', '--timeout', TIMEOUT])
    say(`rolled back ${release} to revision ${revision}`)
  }
  return fault
}

function upgradeOf(release: string, { charts, environment, namespace, image }: RollOut): string[] {
  const chart = `${charts}/${release}`
  const what = release === 'daybook' ? ['--set', `image=${image}`] : []
  return [
    'upgrade',
    '--install',
    release,
    chart,
    '--namespace',
    namespace,
    '--create-namespace',
    '--values',
    `${chart}/values-${environment}.yaml`,
    ...what,
    '--rollback-on-failure',
    '--wait',
    '--timeout',
    TIMEOUT,
  ]
}

function revisionsOf(list: string): Map<string, string> {
  const releases = JSON.parse(list) as { name: string; revision: string }[]
  return new Map(releases.map(({ name, revision }) => [name, revision]))
}
