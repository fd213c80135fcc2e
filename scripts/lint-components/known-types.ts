import type { Component } from './components.ts'

interface KnownType {
  versions: readonly string[]
  /** Names of spec.metadata; a `*` at the end stands for any rest. */
  metadata: readonly string[]
}

const words = (text: string): string[] => text.split(/\s+/)

const REDIS =
  words(`redisHost redisPassword redisUsername redisDB redisType enableTLS clientCert clientKey useEntraID
  redisMaxRetries redisMinRetryInterval redisMaxRetryInterval dialTimeout readTimeout writeTimeout poolSize poolTimeout
  maxConnAge minIdleConns idleCheckFrequency idleTimeout failover sentinel*`)
const STATE = words('keyPrefix outbox* primaryEncryptionKey secondaryEncryptionKey')

/** The component types in dapr/ with what Dapr 1.18 reads of each (component schemas of dapr/components-contrib). */
const KNOWN_TYPES: Record<string, KnownType> = {
  'bindings.cron': { versions: ['v1'], metadata: words('schedule route direction') },
  'bindings.http': {
    versions: ['v1'],
    metadata: words('url responseTimeout errorIfNot2XX securityToken securityTokenHeader MTLS* direction'),
  },
  'conversation.echo': { versions: ['v1'], metadata: [] },
  'pubsub.kafka': {
    versions: ['v1'],
    metadata:
      words(`brokers authType saslUsername saslPassword saslMechanism consumerGroup consumerID clientId
      initialOffset version maxMessageBytes consumeRetryEnabled consumeRetryInterval backOffPolicy backOffDuration
      backOffMaxRetries heartbeatInterval sessionTimeout clientConnection* dialTimeout readTimeout writeTimeout
      metadataTimeout producerRequiredAcks producerRetryMax compression channelBufferSize consumerFetchMin
      consumerFetchDefault consumerGroupRebalanceStrategy disableTls skipVerify caCert clientCert clientKey oidc*
      schemaRegistry* useAvroJSON escapeHeaders excludeHeaderMetaRegex`),
  },
  'pubsub.redis': {
    versions: ['v1'],
    metadata: [
      ...REDIS,
      ...words(
        'consumerID processingTimeout redeliverInterval queueDepth concurrency maxLenApprox streamTTL',
      ),
    ],
  },
  'secretstores.azure.keyvault': { versions: ['v1'], metadata: words('vaultName azure*') },
  'secretstores.kubernetes': { versions: ['v1'], metadata: words('defaultNamespace kubeconfigPath') },
  'secretstores.local.env': { versions: ['v1'], metadata: ['prefix'] },
  'secretstores.local.file': { versions: ['v1'], metadata: words('secretsFile nestedSeparator multiValued') },
  'state.postgresql': {
    versions: ['v1', 'v2'],
    metadata: [
      ...STATE,
      ...words(`connectionString host hostaddr port user password database sslRootCert timeout tableName tablePrefix
        metadataTableName cleanupInterval maxConns connectionMaxIdleTime queryExecMode`),
    ],
  },
  'state.redis': { versions: ['v1'], metadata: [...STATE, ...REDIS, 'ttlInSeconds', 'queryIndexes'] },
}

const TABLE = 'scripts/lint-components/known-types.ts'

/** What Dapr refuses at start (type, version) or ignores without a word (names of metadata). */
export function lintKnown(component: Component): [problem: string, remedy: string][] {
  const { type, version, entries } = component
  if (type === '') return []
  const known = Object.hasOwn(KNOWN_TYPES, type) ? KNOWN_TYPES[type] : undefined
  if (!known) {
    return [[`is of the unknown type ${type}`, `use ${nearest(type)}, or describe the type in ${TABLE}`]]
  }
  const complaints: [problem: string, remedy: string][] = []
  if (version !== undefined && !known.versions.includes(version)) {
    complaints.push([
      `has the version ${version}, which ${type} has not`,
      `use ${known.versions.join(' or ')}`,
    ])
  }
  for (const { name } of entries) {
    if (known.metadata.some((pattern) => matches(pattern, name))) continue
    const remedy = `correct the name or remove it; it may also be missing in ${TABLE}`
    complaints.push([`sets ${name || 'something without a name'}, which ${type} ignores`, remedy])
  }
  return complaints
}

/** Dapr does not look at the case of a name. */
function matches(pattern: string, name: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), name.toLowerCase()]
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted
}

function nearest(type: string): string {
  const [family = ''] = type.split('.')
  const relatives = Object.keys(KNOWN_TYPES).filter((known) => known.startsWith(`${family}.`))
  return relatives.join(' or ') || 'a type of another family'
}
