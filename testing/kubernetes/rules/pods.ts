import { named, ofKind, podsOf, workloadOf, type Manifest, type Manifests } from '../manifests.ts'

const containersOf = (spec: Manifest): Manifest[] => [...(spec.initContainers ?? []), ...spec.containers]

/** Pod Security `restricted`, and a file system that nobody writes to. */
export const podsAreRestricted = (manifests: Manifests): string[] =>
  podsOf(manifests).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap((container) => {
      const own = container.securityContext ?? {}
      const at = `${where}: container ${container.name}: securityContext`
      const pod = spec.securityContext ?? {}
      return [
        ...((own.runAsNonRoot ?? pod.runAsNonRoot) === true ? [] : [`${at}.runAsNonRoot is not true`]),
        ...((own.runAsUser ?? pod.runAsUser) === 0 ? [`${at}.runAsUser is root`] : []),
        ...(own.allowPrivilegeEscalation === false ? [] : [`${at}.allowPrivilegeEscalation is not false`]),
        ...(own.readOnlyRootFilesystem === true ? [] : [`${at}.readOnlyRootFilesystem is not true`]),
        ...(own.capabilities?.drop?.join() === 'ALL' && !own.capabilities.add
          ? []
          : [`${at}.capabilities.drop is not [ALL]`]),
        ...((own.seccompProfile ?? pod.seccompProfile)?.type === 'RuntimeDefault'
          ? []
          : [`${at}.seccompProfile.type is not RuntimeDefault`]),
      ]
    }),
  )

export const podsAskForResources = (manifests: Manifests): string[] =>
  podsOf(manifests).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap(({ name, resources }) => [
      ...(resources?.requests?.cpu && resources.requests.memory
        ? []
        : [`${where}: container ${name}: resources.requests lacks cpu or memory`]),
      ...(resources?.limits?.memory
        ? []
        : [`${where}: container ${name}: resources.limits.memory is missing`]),
      ...(resources?.limits?.cpu
        ? [`${where}: container ${name}: resources.limits.cpu slows down a start`]
        : []),
    ]),
  )

/** Whoever serves says whether it is ready, which waits for its sidecar, and whether it lives. */
export const appsAreProbed = (manifests: Manifests): string[] =>
  manifests.apps.flatMap((app) => {
    const [container] = workloadOf(manifests, app)?.spec.template.spec.containers ?? []
    const probes = [
      ['readinessProbe', '/readyz'],
      ['livenessProbe', '/livez'],
    ] as const
    const host = (container?.env ?? []).find(({ name }: Manifest) => name === 'HOST')?.value
    return [
      ...probes
        .filter(([probe, path]) => container?.[probe]?.httpGet?.path !== path)
        .map(([probe, path]) => `${app.app}: spec.template.spec.containers[0].${probe} does not ask ${path}`),
      // By the address of the pod, also in a Knative Service: an app that listens on its own machine alone is killed.
      ...(host === '0.0.0.0'
        ? []
        : [`${app.app}: spec.template.spec.containers[0].env HOST is ${host}, where no probe reaches it`]),
    ]
  })

/** What the Secrets of this product are called, and which keys they have. */
const SECRETS: Readonly<Record<string, RegExp>> = {
  'daybook-database': /^url$/,
  'daybook-migration': /^url$/,
  'daybook-scaler': /^connection$/,
  'daybook-app-token': /^token$/,
  'daybook-api-token': /^token$/,
  'daybook-mail': /^(token|smtp-url)$/,
  'daybook-components': /^DAYBOOK_[A-Z_]+$/,
}

/** Who knows which secret: the owner of the tables is known to the migration alone. */
export function secretsFit(manifests: Manifests): string[] {
  const findings = podsOf(manifests).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap(({ name, env = [] }) =>
      (env as { name: string; value?: string; valueFrom?: Manifest }[]).flatMap((variable) => {
        const at = `${where}: container ${name}: env ${variable.name}`
        const ref = variable.valueFrom?.secretKeyRef
        if (!ref)
          return /(_TOKEN|_SMTP_URL|DATABASE_URL|_MIGRATION_URL)$/.test(variable.name)
            ? [`${at} is in clear`]
            : []
        const isKnown = SECRETS[ref.name]?.test(ref.key) ?? false
        const isOwner = ref.name === 'daybook-migration' && where !== 'Job daybook-migration'
        return [
          ...(isKnown ? [] : [`${at}: valueFrom.secretKeyRef: there is no key ${ref.key} of ${ref.name}`]),
          ...(isOwner ? [`${at}: valueFrom.secretKeyRef: ${ref.name} is for the migration alone`] : []),
        ]
      }),
    ),
  )
  for (const { app, unit } of manifests.apps) {
    const { secrets } = manifests.table.units[unit]!
    const account = named(manifests, 'ServiceAccount', app)
    if (!account) findings.push(`${app}: there is no ServiceAccount of its name`)
    const rules = ofKind(manifests, 'RoleBinding')
      .filter(({ subjects }) => subjects.some((subject: Manifest) => subject.name === app))
      .flatMap(({ roleRef }) => named(manifests, 'Role', roleRef.name)?.rules ?? [])
    const readable: string[] = rules.flatMap(({ resourceNames }: Manifest) => resourceNames ?? ['*'])
    if (readable.toSorted().join() !== secrets.toSorted().join()) {
      findings.push(`${app}: Role: rules[].resourceNames is ${readable.join()}, not ${secrets.join()}`)
    }
    if (account && account.automountServiceAccountToken !== secrets.length > 0) {
      findings.push(`${app}: ServiceAccount: automountServiceAccountToken is not ${secrets.length > 0}`)
    }
  }
  return findings
}

const AUTOSCALING =
  /^autoscaling\.knative\.dev\/(class|metric|target|min-scale|max-scale|window|scale-to-zero-pod-retention-period)$/
const RESERVED_PORTS = new Set([8008, 8012, 8013, 8022, 8112, 9090, 9091])

/** What Knative refuses, and what it takes without a word and ignores. */
export const knativeTakesIt = (manifests: Manifests): string[] =>
  ofKind(manifests, 'Service', 'serving.').flatMap(({ metadata, spec }) => {
    const { containers, timeoutSeconds, ...pod } = spec.template.spec
    const ports = containers.flatMap((container: Manifest) => container.ports ?? [])
    const ofService = Object.keys(metadata.annotations ?? {}).filter((name) =>
      name.startsWith('autoscaling.'),
    )
    const unknown = Object.keys(spec.template.metadata.annotations).filter(
      (name) => name.startsWith('autoscaling.') && !AUTOSCALING.test(name),
    )
    const forbidden = [
      'securityContext',
      'initContainers',
      'affinity',
      'nodeSelector',
      'tolerations',
      'terminationGracePeriodSeconds',
    ].filter((field) => field in pod)
    return [
      ...ofService.map(
        (name) => `${metadata.name}: metadata.annotations: ${name} belongs under spec.template`,
      ),
      ...unknown.map(
        (name) => `${metadata.name}: spec.template.metadata.annotations: Knative does not know ${name}`,
      ),
      ...(ports.length === 1 && !RESERVED_PORTS.has(ports[0].containerPort)
        ? []
        : [`${metadata.name}: spec.template.spec.containers[].ports is not one port of ours`]),
      ...(timeoutSeconds <= 600
        ? []
        : [`${metadata.name}: spec.template.spec.timeoutSeconds is more than Knative allows`]),
      ...forbidden.map((field) => `${metadata.name}: spec.template.spec.${field} is not allowed`),
      ...(metadata.labels['networking.knative.dev/visibility'] === 'cluster-local'
        ? []
        : [`${metadata.name}: metadata.labels: the world reaches it past the edge`]),
      ...(['app.kubernetes.io/version', 'helm.sh/chart'].some(
        (label) => label in (spec.template.metadata.labels ?? {}),
      )
        ? [
            `${metadata.name}: spec.template.metadata.labels change with each release, and with them the revision`,
          ]
        : []),
    ]
  })
