import { named, ofKind, podsOf, workloadOf, type Manifests } from '../manifests.ts'

/** Of Dapr 1.18.2; others it ignores without a word. */
const ANNOTATIONS = new Set(
  [
    'enabled app-id app-port app-protocol config enable-app-health-check app-health-check-path app-health-probe-interval',
    'app-health-probe-timeout app-health-threshold app-token-secret api-token-secret enable-native-sidecar read-buffer-size',
    'log-as-json log-level metrics-port placement-host-address scheduler-host-address disable-builtin-k8s-secret-store',
    'sidecar-seccomp-profile-type sidecar-cpu-request sidecar-memory-request sidecar-memory-limit',
  ]
    .join(' ')
    .split(' ')
    .map((name) => `dapr.io/${name}`),
)
/** Ports of Knative's proxy and of Dapr. */
const TAKEN = new Set([
  '3500',
  '3501',
  '50001',
  '50002',
  '8008',
  '8012',
  '8013',
  '8022',
  '8112',
  '9090',
  '9091',
])

/** Each app has its sidecar with its own configuration, and what reaches it comes in where it listens. */
export function sidecarsFit(manifests: Manifests): string[] {
  return manifests.apps.flatMap((app) => {
    const unit = manifests.table.units[app.unit]!
    const workload = workloadOf(manifests, app)
    const annotations = (workload?.spec.template.metadata.annotations ?? {}) as Record<string, string>
    const at = (name: string) => annotations[`dapr.io/${name}`]
    const where = `${app.app}: spec.template.metadata.annotations`
    const wanted: [name: string, value: string | undefined, why: string][] = [
      ['enabled', 'true', ''],
      ['app-id', app.app, ', the app'],
      ['config', app.app, ', the Configuration of the app'],
      ['app-token-secret', 'daybook-app-token', ''],
      ['api-token-secret', 'daybook-api-token', ''],
      ['enable-native-sidecar', 'true', ', so that it outlives the app'],
      ['disable-builtin-k8s-secret-store', 'true', ''],
      ['sidecar-seccomp-profile-type', 'RuntimeDefault', ', which Pod Security asks for'],
      [
        'app-port',
        unit.receives ? '8080' : undefined,
        unit.receives ? ', where events and ticks go' : ': a probe would keep a sleeping unit awake',
      ],
      ['enable-app-health-check', unit.receives ? 'true' : undefined, ''],
      ['scheduler-host-address', unit.jobs ? undefined : '', ''],
    ]
    return [
      ...wanted
        .filter(([name, value]) => at(name) !== value)
        .map(([name, value, why]) => `${where}: dapr.io/${name} is ${at(name)}, not ${value}${why}`),
      ...(TAKEN.has(at('metrics-port') ?? '9090')
        ? [`${where}: dapr.io/metrics-port ${at('metrics-port')} is taken`]
        : []),
      ...(app.app.length > 58
        ? [`${app.app}: metadata.name has more than the 58 letters that Dapr can name a service by`]
        : []),
      ...(named(manifests, 'Configuration', app.app, 'dapr.io/')
        ? []
        : [`${app.app}: there is no Configuration of its name`]),
    ]
  })
}

export const annotationsAreKnown = (manifests: Manifests): string[] =>
  podsOf(manifests).flatMap(({ where, annotations }) =>
    Object.entries(annotations).flatMap(([name, value]) => [
      ...(name.startsWith('dapr.io/') && !ANNOTATIONS.has(name)
        ? [`${where}: spec.template.metadata.annotations: Dapr does not know ${name}`]
        : []),
      ...(typeof value === 'string'
        ? []
        : [`${where}: spec.template.metadata.annotations: ${name} is no text`]),
    ]),
  )

/** Every component is open to those whose functions use it, and to nobody else. */
export function scopesFit(manifests: Manifests): string[] {
  const { apps, table } = manifests
  const findings = apps.flatMap(({ app, unit }) =>
    table.units[unit]!.components.flatMap((component) => {
      const scopes = named(manifests, 'Component', component)?.scopes ?? []
      const user = Object.keys(table.units[unit]!.functions)[0]
      return scopes.includes(app) ? [] : [`${user}: Component ${component}: scopes lacks ${app}`]
    }),
  )
  for (const component of ofKind(manifests, 'Component')) {
    const { name } = component.metadata
    const scopes: string[] = component.scopes ?? []
    if (scopes.length === 0) findings.push(`Component ${name}: scopes is empty, which opens it to every app`)
    for (const scope of scopes) {
      if (!apps.some(({ app }) => app === scope))
        findings.push(`Component ${name}: scopes names ${scope}, which is no app`)
      const hasToken = named(manifests, 'ServiceAccount', scope)?.automountServiceAccountToken === true
      if (component.spec.type === 'secretstores.kubernetes' && !hasToken)
        findings.push(
          `Component ${name}: scopes names ${scope}, whose sidecar has no token for the API server and ends`,
        )
    }
  }
  return findings
}

/** What an app may ask of its sidecar is what its functions use. */
export const configurationsFit = (manifests: Manifests): string[] =>
  manifests.apps.flatMap(({ app, unit }) => {
    const entry = manifests.table.units[unit]!
    const spec = named(manifests, 'Configuration', app, 'dapr.io/')?.spec
    const [user] = Object.keys(entry.functions)
    const where = `${user}: Configuration ${app}`
    const allowed = ((spec?.api?.allowed ?? []) as { name: string; protocol: string }[])
      .filter(({ name }) => name !== 'metadata')
      .map(({ name }) => name)
    const secrets: string[] = spec?.secrets?.scopes?.[0]?.allowedSecrets ?? []
    return [
      ...(allowed.toSorted().join() === entry.api.toSorted().join()
        ? []
        : [`${where}: spec.api.allowed is ${allowed.join()}, not ${entry.api.join()}`]),
      ...(secrets.toSorted().join() === entry.secrets.toSorted().join()
        ? []
        : [
            `${where}: spec.secrets.scopes[0].allowedSecrets is ${secrets.join()}, not ${entry.secrets.join()}`,
          ]),
      ...(spec?.secrets?.scopes?.[0]?.defaultAccess === 'deny'
        ? []
        : [`${where}: spec.secrets.scopes[0].defaultAccess is not deny`]),
      ...(spec?.accessControl?.defaultAction === 'deny' && !spec.accessControl.policies
        ? []
        : [`${where}: spec.accessControl lets another app in`]),
    ]
  })

/** The gateway reaches every app that serves requests by a URL that wakes it, and shows who it is. */
export const endpointsFit = (manifests: Manifests): string[] => {
  const callers = manifests.apps
    .filter(({ unit }) => manifests.table.units[unit]!.public)
    .map(({ app }) => app)
  return manifests.apps
    .filter(({ unit }) => manifests.table.units[unit]!.called)
    .flatMap((app) => {
      const endpoint = named(manifests, 'HTTPEndpoint', app.app)
      const [user] =
        app.functions.length > 0 ? app.functions : Object.keys(manifests.table.units[app.unit]!.functions)
      const where = `${user}: HTTPEndpoint ${app.app}`
      if (!endpoint) return [`${where} is missing`]
      const namespace = workloadOf(manifests, app)?.metadata.namespace
      const header = (endpoint.spec.headers ?? []).find(
        ({ name }: { name: string }) => name === 'dapr-api-token',
      )
      return [
        ...(String(endpoint.spec.baseUrl).startsWith(`http://${app.app}.${namespace}.svc.`)
          ? []
          : [`${where}: spec.baseUrl is not that of its Knative Service`]),
        ...(header?.secretKeyRef?.name === 'daybook-app-token'
          ? []
          : [`${where}: spec.headers has no dapr-api-token`]),
        ...(endpoint.scopes?.join() === callers.join()
          ? []
          : [`${where}: scopes is not [${callers.join()}]`]),
      ]
    })
}
