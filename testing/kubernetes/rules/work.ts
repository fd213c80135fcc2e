import { functionsOf, named, ofKind, workloadOf, type Manifests } from '../manifests.ts'

/** Every function is run by something, and something starts that when there is work for it. */
export function workIsDone(manifests: Manifests): string[] {
  const { apps, table } = manifests
  const findings: string[] = []
  for (const [unit, { functions }] of Object.entries(table.units)) {
    for (const name of Object.keys(functions)) {
      const runs = apps.some((app) => app.unit === unit && isRunBy(manifests, app, name))
      if (!runs)
        findings.push(`${name}: no workload of ${unit} has it in spec.template.spec.containers[].args`)
    }
  }
  for (const app of apps) {
    const unit = table.units[app.unit]!
    for (const [name, fn] of functionsOf(manifests, app)) {
      if (fn.kind === 'cron') findings.push(...tickFaults(manifests, app.app, name, fn))
      if (unit.scaling.kind === 'keda') {
        for (const topic of fn.topics ?? []) findings.push(...topicFaults(manifests, app.app, name, topic))
        if (fn.wakesOn) findings.push(...rowFaults(manifests, app, name, fn.wakesOn))
      }
    }
  }
  return findings
}

function isRunBy(manifests: Manifests, app: Manifests['apps'][number], name: string): boolean {
  const args: string[] = workloadOf(manifests, app)?.spec.template.spec.containers[0]?.args ?? []
  const [program, ...names] = args
  return program === `/app/${app.unit}.mjs` && (names.length === 0 || names.includes(name))
}

const triggersOf = (manifests: Manifests, app: string) =>
  (named(manifests, 'ScaledObject', app)?.spec.triggers ?? []) as {
    type: string
    metadata: Record<string, string>
  }[]

function topicFaults(manifests: Manifests, app: string, name: string, topic: string): string[] {
  const where = `${name}: ScaledObject ${app}: spec.triggers`
  const trigger = triggersOf(manifests, app).find(
    ({ type, metadata }) => type === 'kafka' && metadata['topic'] === topic,
  )
  if (!trigger) return [`${where} has none of type kafka for topic ${topic}`]
  const { consumerGroup, offsetResetPolicy } = trigger.metadata
  return [
    ...(consumerGroup === app
      ? []
      : [`${where}: metadata.consumerGroup of ${topic} is ${consumerGroup}, not the app-id`]),
    ...(offsetResetPolicy === 'earliest'
      ? []
      : [`${where}: metadata.offsetResetPolicy of ${topic} is not earliest`]),
  ]
}

function rowFaults(
  manifests: Manifests,
  { app, unit }: Manifests['apps'][number],
  name: string,
  rows: string,
): string[] {
  const wanted = manifests.table.units[unit]!.scaling.triggers.find(
    (trigger) => 'rows' in trigger && trigger.rows === rows,
  )
  const trigger = triggersOf(manifests, app).find(
    ({ type, metadata }) => type === 'postgresql' && metadata['query'] === wanted?.query,
  )
  return trigger
    ? []
    : [`${name}: ScaledObject ${app}: spec.triggers has none of type postgresql for ${rows}`]
}

function tickFaults(
  manifests: Manifests,
  app: string,
  name: string,
  fn: { binding?: string; path?: string; schedule?: string },
): string[] {
  const component = named(manifests, 'Component', fn.binding ?? '')
  const where = `${name}: Component ${fn.binding}`
  if (!component) return [`${where} is missing`]
  const value = (key: string) =>
    (component.spec.metadata as { name: string; value: string }[]).find((each) => each.name === key)?.value
  return [
    ...(value('schedule') === fn.schedule ? [] : [`${where}: spec.metadata schedule is not ${fn.schedule}`]),
    ...(value('route') === fn.path ? [] : [`${where}: spec.metadata route is not ${fn.path}`]),
    ...(component.scopes?.join() === app ? [] : [`${where}: scopes is not [${app}]`]),
  ]
}

/** What KEDA and others change, Helm does not set, and what they change is there. */
export function scalingFits(manifests: Manifests): string[] {
  const findings = ofKind(manifests, 'ScaledObject').flatMap(({ metadata, spec }) => {
    const target = named(manifests, 'Deployment', spec.scaleTargetRef.name)
    if (!target)
      return [
        `ScaledObject ${metadata.name}: spec.scaleTargetRef: there is no Deployment ${spec.scaleTargetRef.name}`,
      ]
    const names = (spec.triggers as { name: string }[]).map(({ name }) => name)
    const twice = names.filter((name, index) => names.indexOf(name) !== index)
    return [
      ...twice.map(
        (name) => `ScaledObject ${metadata.name}: spec.triggers: ${name} is there twice, which KEDA refuses`,
      ),
      ...(target.spec.replicas === undefined
        ? []
        : [`Deployment ${target.metadata.name}: spec.replicas belongs to KEDA`]),
    ]
  })
  for (const { app, unit } of manifests.apps) {
    const { scaling } = manifests.table.units[unit]!
    if (scaling.kind === 'keda' && !named(manifests, 'ScaledObject', app))
      findings.push(`${unit}: ScaledObject ${app} is missing`)
    if (scaling.kind === 'knative') continue
    const budget = named(manifests, 'PodDisruptionBudget', app)
    const labels = named(manifests, 'Deployment', app)?.spec.template.metadata.labels ?? {}
    const selected = Object.entries(
      (budget?.spec.selector.matchLabels ?? { none: '' }) as Record<string, string>,
    )
    if (!selected.every(([key, value]) => labels[key] === value)) {
      findings.push(`PodDisruptionBudget ${app}: spec.selector finds no pod of ${app}`)
    }
  }
  return findings
}

/** A topic that consumers wait for is made, where these charts make topics. */
export function topicsAreMade(manifests: Manifests): string[] {
  const kafkaTopics = ofKind(manifests, 'KafkaTopic')
  const job = named(manifests, 'Job', 'daybook-topics')
  if (kafkaTopics.length === 0 && !job) return []
  const script = String(job?.spec.template.spec.containers[0].args[0] ?? '')
  return Object.entries(manifests.table.topics).flatMap(([topic, { partitions }]) => {
    const made = named(manifests, 'KafkaTopic', topic)
    const isMade = made
      ? made.spec.partitions === partitions
      : script.includes(`--topic ${topic} --partitions ${partitions} `)
    return isMade ? [] : [`topic ${topic}: nothing makes it with partitions ${partitions}`]
  })
}
