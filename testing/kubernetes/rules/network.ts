import { named, ofKind, podsOf, type Manifest, type Manifests } from '../manifests.ts'

/** The namespace is closed, and open for each pod is what `uses` of its functions asks for. */
export function networkIsClosed(manifests: Manifests): string[] {
  const closed = ofKind(manifests, 'NetworkPolicy').find(
    ({ spec }) => Object.keys(spec.podSelector).length === 0,
  )
  if (!closed)
    return ofKind(manifests, 'NetworkPolicy').length === 0
      ? []
      : ['NetworkPolicy: none closes the namespace (spec.podSelector: {})']
  const findings =
    closed.spec.policyTypes.join() === 'Ingress,Egress' && !closed.spec.ingress
      ? []
      : ['NetworkPolicy closed: spec lets something in']
  for (const { where, labels } of podsOf(manifests)) {
    if (policiesOf(manifests, labels).length === 0) {
      findings.push(`${where}: no NetworkPolicy selects spec.template.metadata.labels`)
    }
  }
  for (const { app, unit } of manifests.apps) {
    const entry = manifests.table.units[unit]!
    const policy = named(manifests, 'NetworkPolicy', app)
    if (!policy) continue
    const [user] = Object.keys(entry.functions)
    const where = `${user}: NetworkPolicy ${app}: spec`
    const egress = (policy.spec.egress ?? []) as Manifest[]
    const reaches = (port: number) =>
      egress.some(({ ports = [] }) => ports.some((each: Manifest) => each.port === port))
    const goesOut = egress.some(({ to = [] }) =>
      to.some((peer: Manifest) => peer.ipBlock?.cidr === '0.0.0.0/0'),
    )
    const mustGoOut = entry.egress.some((host) => !host.startsWith('$'))
    const sources = ((policy.spec.ingress ?? []) as Manifest[]).filter(({ from }) => !from)
    if (!reaches(6500) || !reaches(50_001)) findings.push(`${where}.egress does not reach Dapr`)
    if (entry.components.includes('pubsub') && egress.length < 3)
      findings.push(`${where}.egress does not reach the broker`)
    if (mustGoOut && !goesOut) findings.push(`${where}.egress does not reach ${entry.egress.join()}`)
    if (!entry.egress.length && goesOut)
      findings.push(`${where}.egress reaches the world, and uses asks for none`)
    if (
      goesOut &&
      !egress.some(({ to = [] }) => to.some((peer: Manifest) => peer.ipBlock?.except?.includes('10.0.0.0/8')))
    ) {
      findings.push(`${where}.egress reaches private networks`)
    }
    if (!entry.public && sources.length > 0) findings.push(`${where}.ingress lets any pod in`)
  }
  return findings
}

const policiesOf = (manifests: Manifests, labels: Record<string, string>): Manifest[] =>
  ofKind(manifests, 'NetworkPolicy').filter(({ spec }) => {
    const wanted = Object.entries((spec.podSelector.matchLabels ?? {}) as Record<string, string>)
    return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
  })

/** Behind an ingress the edge knows whose word about the client's address counts; else anybody's would, or nobody's. */
export function clientsAreKnown(manifests: Manifests): string[] {
  const isExposed = ['HTTPRoute', 'Ingress', 'DomainMapping'].some(
    (kind) => ofKind(manifests, kind).length > 0,
  )
  return manifests.apps.flatMap(({ app, unit }) => {
    if (!manifests.table.units[unit]!.public) return []
    const [container] = named(manifests, 'Deployment', app)?.spec.template.spec.containers ?? []
    const trusted: string | undefined = (container?.env ?? []).find(
      ({ name }: Manifest) => name === 'TRUSTED_PROXIES',
    )?.value
    if (!trusted)
      return isExposed
        ? [`web/gateway: Deployment ${app}: env TRUSTED_PROXIES is missing behind an ingress`]
        : []
    return trusted.split(',').some((network) => network.trim().endsWith('/0'))
      ? [`web/gateway: Deployment ${app}: env TRUSTED_PROXIES believes everybody`]
      : []
  })
}

/** Kourier finds the pods behind a DomainMapping by the number of their port and not by its name. */
export const edgeIsReached = (manifests: Manifests): string[] =>
  manifests.apps.flatMap(({ app, unit }) => {
    if (!manifests.table.units[unit]!.public) return []
    const ports = (named(manifests, 'Service', app, 'v1')?.spec.ports ?? []) as { targetPort?: unknown }[]
    return ports.length > 0 && ports.every(({ targetPort }) => typeof targetPort === 'number')
      ? []
      : [`web/gateway: Service ${app}: spec.ports[].targetPort is no number, and Kourier finds no pod by it`]
  })
