import { z } from 'zod'

/** Separated by commas. */
const listOf = <Entry extends z.ZodType<unknown, string>>(entry: Entry) =>
  z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .pipe(z.array(entry))

/** Addresses and networks (CIDR). */
const networks = listOf(
  z.union(
    [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
    'must be addresses or networks, such as 10.20.0.0/16',
  ),
)

/** Of proxies of ours. One that holds every address would let any client say where it is. */
const proxies = networks.refine(
  (all) => !all.some((network) => network.endsWith('/0')),
  'must not be all addresses: name the networks of your proxies, such as 10.20.0.0/16',
)

/** As browsers send it (RFC 6454 §6.2), so that it is compared as it is. */
const origin = z
  .string()
  .refine(
    (text) => /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text,
    'must be origins, such as https://app.example.org: no path, no wildcard, no default port',
  )

const oneOf = <const Names extends readonly string[]>(...names: Names) =>
  z.enum(names, `must be one of ${names.join(', ')}`)
const number = (min: number, max: number, words = `must be a number from ${min} to ${max}`) =>
  z.coerce.number(words).min(min, words).max(max, words)
const whole = (min: number, max: number) => {
  const words = `must be a whole number from ${min} to ${max}`
  return number(min, max, words).int(words)
}
const url = z.url('must be a URL such as https://daybook.example.org')
/** So many of one user are kept; see shared/domain/quotas.ts. */
const limit = (usual: number) => whole(1, 1_000_000_000).default(usual)
const port = whole(0, 65_535)

/** `Name <address>` or an address. */
const sender = z
  .string()
  .regex(
    /^(?:[^\p{Cc}<>@",;:\\]* ?<[^\s\p{Cc}<>@",;:()[\]\\]+@[^\s\p{Cc}<>@",;:()[\]\\]+>|[^\s\p{Cc}<>@",;:()[\]\\]+@[^\s\p{Cc}<>@",;:()[\]\\]+)$/u,
    'must be an address, or a name and <address>',
  )

const databaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must look like postgres://user:password@host:5432/name',
})

/** Every environment variable Daybook reads. The README's table lists the same names. */
const Environment = z.object({
  PORT: port.default(8080),
  HOST: z.string().default('127.0.0.1'),
  DAYBOOK_DATA_DIR: z.string().min(1).default('.daybook'),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_MIGRATION_URL: databaseUrl.optional(),
  DATABASE_SCALER_ROLE: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be the name of a role')
    .optional(),
  DATABASE_POOL: whole(2, 100).default(40),
  DATABASE_PREPARE: z.stringbool().default(true),
  DAPR_HTTP_PORT: port.default(3500),
  DAPR_API_TOKEN: z.string().min(1).optional(),
  APP_API_TOKEN: z.string().min(1).optional(),
  PUBLIC_URL: url.optional(),
  CORS_ORIGINS: listOf(origin).default([]),
  GRANULARITY: oneOf('unit', 'function').default('unit'),
  REGISTRATION: oneOf('open', 'invite', 'closed').default('open'),
  TRUSTED_PROXIES: proxies.default([]),
  MAIL_FROM: sender.default('Daybook <daybook@localhost>'),
  MAIL_SMTP_URL: z
    .url({ protocol: /^smtps?$/, hostname: /./, error: 'must look like smtp://user:password@host:587' })
    .optional(),
  MAIL_RELAY_PORT: port.default(0),
  MAIL_RELAY_TOKEN: z
    .string()
    .regex(/^[\w.~+/-]{16,}$/, 'must be 16 or more letters, digits or ._~+/-')
    .optional(),
  MAILBOX_DAYS: whole(1, 3650).default(30),
  KEEP_EVENTS_DAYS: whole(0, 36_500).default(0),
  MAX_MAILS_PER_HOUR: whole(0, 1_000_000_000).default(30),
  MAX_FIRST_MESSAGES_PER_HOST: whole(0, 1_000_000_000).default(20),
  MAX_DELIVERIES_PER_HOST: whole(0, 1_000_000_000).default(5000),
  VAPID_KEYS: oneOf('database', 'secretstore').default('database'),
  AUDIT_KEY: oneOf('database', 'secretstore').default('database'),
  AUDIT_CHECKPOINTS: z.string().min(1).optional(),
  AUDIT_RETENTION_DAYS: whole(90, 36_500).default(365),
  FCM_PROJECT: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'must be the id of a Google project')
    .optional(),
  OUTBOUND_ALLOW: networks.default([]),
  OIDC_ISSUER: url.optional(),
  OIDC_AUDIENCE: z.string().min(1).default('daybook'),
  OIDC_JWKS_URL: url.optional(),
  OIDC_TOKEN_TYPE: z
    .string()
    .regex(/^[\w.+/-]{1,100}$/, 'must be a media type such as at+jwt, or JWT')
    .default('at+jwt'),
  RATE_LIMIT_PER_SECOND: number(0, 100_000).default(100),
  RATE_LIMIT_BURST: whole(1, 1_000_000).default(200),
  MAX_CONNECTIONS: whole(1, 1_000_000).default(2000),
  MAX_CONNECTIONS_PER_ADDRESS: whole(1, 1_000_000).default(200),
  LOG_REQUESTS: z.stringbool().default(true),
  MAX_TASKS_PER_USER: limit(200_000),
  MAX_TASK_BYTES: limit(32_768),
  MAX_OPEN_REMINDERS_PER_USER: limit(200_000),
  MAX_REMINDERS_PER_MINUTE: limit(5000),
  MAX_ANSWERS_PER_USER: limit(200_000),
  MAX_ANSWER_BYTES_PER_USER: limit(268_435_456),
  MAX_NOTIFICATIONS_PER_USER: limit(100_000),
  MAX_PUSH_SUBSCRIPTIONS_PER_USER: limit(10),
  MAX_SESSIONS_PER_USER: limit(1000),
  LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error', 'silent').default('info'),
  XDG_RUNTIME_DIR: z.string().optional(),
})

type Variables = Record<string, string | undefined>

/** The variables this process was started with, for the programs that it starts in turn. */
export const inheritedEnvironment = (): Variables => process.env

/** What any program needs of the system, and no secret of ours. */
const OF_THE_SYSTEM = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'JAVA_HOME',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
]
export const systemEnvironment = (): Variables => pick(inheritedEnvironment(), OF_THE_SYSTEM)

/** What only those read who start units, migrate or pass mail on. */
const NOT_OF_UNITS = new Set([
  'DATABASE_MIGRATION_URL',
  'DATABASE_SCALER_ROLE',
  'DAYBOOK_DATA_DIR',
  'XDG_RUNTIME_DIR',
  'MAIL_SMTP_URL',
  'MAIL_RELAY_PORT',
  'MAIL_RELAY_TOKEN',
  'MAILBOX_DAYS',
])
/** The settings of the product that a deployed unit reads. */
export const unitEnvironment = (from: Variables): Variables =>
  pick(
    from,
    Object.keys(Environment.shape).filter((name) => !NOT_OF_UNITS.has(name)),
  )

export const pick = (from: Variables, names: Iterable<string>): Variables =>
  Object.fromEntries([...names].map((name) => [name, from[name]]))

export type Config = ReturnType<typeof readConfig>

class ConfigError extends Error {
  readonly code = 'config.invalid'
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

/** Reads the configuration once, at start. Throws {@link ConfigError} that names every variable at fault. */
export function readConfig(env: Variables = inheritedEnvironment()) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(`The environment is not usable: ${faults.join('; ')}`)
  }
  const e = parsed.data
  return {
    http: { port: e.PORT, host: e.HOST },
    /** Of requests by one user, or by one address where nobody is signed in; null for none. */
    rateLimit:
      e.RATE_LIMIT_PER_SECOND === 0
        ? null
        : { perSecond: e.RATE_LIMIT_PER_SECOND, burst: e.RATE_LIMIT_BURST },
    connections: { max: e.MAX_CONNECTIONS, maxPerAddress: e.MAX_CONNECTIONS_PER_ADDRESS },
    /** Of the changes; null for ever. */
    keepEventsDays: e.KEEP_EVENTS_DAYS || null,
    logRequests: e.LOG_REQUESTS && (e.LOG_LEVEL === 'info' || e.LOG_LEVEL === 'debug'),
    /** Where clients reach this Daybook, when it is not where it listens. */
    publicUrl: e.PUBLIC_URL,
    /** Whose pages may read our answers in a browser. */
    corsOrigins: e.CORS_ORIGINS,
    /** What the gateway calls: a unit, or an app of a function's own. */
    granularity: e.GRANULARITY,
    /** Who may register. */
    registration: e.REGISTRATION,
    /** Whose X-Forwarded-For is believed. */
    trustedProxies: e.TRUSTED_PROXIES,
    dataDir: e.DAYBOOK_DATA_DIR,
    /** Where sockets may lie whose place in the data folder would have too long a path. */
    runtimeDir: e.XDG_RUNTIME_DIR,
    database: {
      url: e.DATABASE_URL,
      /** As the owner of the tables, whom migrations need. */
      migrationUrl: e.DATABASE_MIGRATION_URL ?? e.DATABASE_URL,
      /** Who may see how much is due, and nothing else. */
      scalerRole: e.DATABASE_SCALER_ROLE,
      pool: e.DATABASE_POOL,
      prepare: e.DATABASE_PREPARE,
    },
    dapr: {
      baseUrl: `http://127.0.0.1:${e.DAPR_HTTP_PORT}`,
      apiToken: e.DAPR_API_TOKEN,
      appToken: e.APP_API_TOKEN,
    },
    mail: { from: e.MAIL_FROM, maxPerHour: e.MAX_MAILS_PER_HOUR },
    /** Of what users name, in an hour. */
    namedHosts: { maxFirstMessages: e.MAX_FIRST_MESSAGES_PER_HOST, maxDeliveries: e.MAX_DELIVERIES_PER_HOST },
    /**
     * Of our own mail relay: the SMTP server it passes mail on to (a mailbox folder without one), its port, what it asks
     * of its callers, and for how long the mailbox keeps a mail.
     */
    mailRelay: {
      smtpUrl: e.MAIL_SMTP_URL,
      port: e.MAIL_RELAY_PORT,
      token: e.MAIL_RELAY_TOKEN,
      mailboxDays: e.MAILBOX_DAYS,
    },
    /** What signs checkpoints, the folder of their copies, and how long an entry is kept. */
    audit: { keyFrom: e.AUDIT_KEY, checkpoints: e.AUDIT_CHECKPOINTS, days: e.AUDIT_RETENTION_DAYS },
    push: { vapidKeys: e.VAPID_KEYS, fcmProject: e.FCM_PROJECT },
    /** Networks that are no secret from users: requests they ask for may go there, without TLS and to any port. */
    outboundAllow: e.OUTBOUND_ALLOW,
    /** An OIDC issuer whose tokens are accepted beside our own. */
    oidc: e.OIDC_ISSUER
      ? {
          issuer: e.OIDC_ISSUER,
          audience: e.OIDC_AUDIENCE,
          tokenType: e.OIDC_TOKEN_TYPE,
          jwksUrl: e.OIDC_JWKS_URL,
        }
      : undefined,
    quotas: {
      tasks: e.MAX_TASKS_PER_USER,
      taskBytes: e.MAX_TASK_BYTES,
      openReminders: e.MAX_OPEN_REMINDERS_PER_USER,
      remindersPerMinute: e.MAX_REMINDERS_PER_MINUTE,
      answers: e.MAX_ANSWERS_PER_USER,
      answerBytes: e.MAX_ANSWER_BYTES_PER_USER,
      notifications: e.MAX_NOTIFICATIONS_PER_USER,
      pushSubscriptions: e.MAX_PUSH_SUBSCRIPTIONS_PER_USER,
      sessions: e.MAX_SESSIONS_PER_USER,
    },
    logLevel: e.LOG_LEVEL,
    /** For the embedded sidecar's secretstores.local.env. */
    environment: env,
  }
}
