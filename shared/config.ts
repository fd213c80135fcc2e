import { z } from 'zod'

/** Addresses and networks (CIDR), separated by commas. */
const networks = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(
    z.array(
      z.union(
        [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
        'must be addresses or networks, such as 10.20.0.0/16',
      ),
    ),
  )

const oneOf = <const Names extends readonly string[]>(...names: Names) =>
  z.enum(names, `must be one of ${names.join(', ')}`)
const port = z.coerce.number('must be a port from 0 to 65535').int().min(0).max(65_535)

/** `Name <address>` or an address. */
const sender = z
  .string()
  .regex(
    /^(?:[^\p{Cc}<>@",;:\\]* ?<[^\s\p{Cc}<>@",;:()[\]\\]+@[^\s\p{Cc}<>@",;:()[\]\\]+>|[^\s\p{Cc}<>@",;:()[\]\\]+@[^\s\p{Cc}<>@",;:()[\]\\]+)$/u,
    'must be an address, or a name and <address>',
  )

/** Every environment variable Daybook reads. The README's table lists the same names. */
const Environment = z.object({
  PORT: port.default(8080),
  HOST: z.string().default('127.0.0.1'),
  DAYBOOK_DATA_DIR: z.string().min(1).default('.daybook'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must look like postgres://user:password@host:5432/name' })
    .optional(),
  DATABASE_POOL: z.coerce.number().int().min(2).max(100).default(40),
  DATABASE_PREPARE: z.stringbool().default(true),
  DAPR_HTTP_PORT: port.default(3500),
  DAPR_API_TOKEN: z.string().min(1).optional(),
  APP_API_TOKEN: z.string().min(1).optional(),
  RECURRENCE_CREATES_VIA: oneOf('store', 'invoke').default('store'),
  PUBLIC_URL: z.url().optional(),
  TRUSTED_PROXIES: networks.default([]),
  MAIL_FROM: sender.default('Daybook <daybook@localhost>'),
  MAIL_SMTP_URL: z
    .url({ protocol: /^smtps?$/, hostname: /./, error: 'must look like smtp://user:password@host:587' })
    .optional(),
  MAIL_RELAY_PORT: port.default(0),
  VAPID_KEYS: oneOf('database', 'secretstore').default('database'),
  FCM_PROJECT: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'must be the id of a Google project')
    .optional(),
  OUTBOUND_ALLOW: networks.default([]),
  OIDC_ISSUER: z.url().optional(),
  OIDC_AUDIENCE: z.string().min(1).default('daybook'),
  OIDC_JWKS_URL: z.url().optional(),
  LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error', 'silent').default('info'),
})

/** The variables this process was started with, for the programs that it starts in turn. */
export const inheritedEnvironment = (): Record<string, string | undefined> => process.env

export type Config = ReturnType<typeof readConfig>

export class ConfigError extends Error {
  readonly code = 'config.invalid'
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

/** Reads the configuration once, at start. Throws {@link ConfigError} that names every variable at fault. */
export function readConfig(env: Record<string, string | undefined> = inheritedEnvironment()) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(`The environment is not usable: ${faults.join('; ')}`)
  }
  const e = parsed.data
  return {
    http: { port: e.PORT, host: e.HOST },
    /** Where clients reach this Daybook, when it is not where it listens. */
    publicUrl: e.PUBLIC_URL,
    /** Whose X-Forwarded-For is believed. */
    trustedProxies: e.TRUSTED_PROXIES,
    dataDir: e.DAYBOOK_DATA_DIR,
    database: { url: e.DATABASE_URL, pool: e.DATABASE_POOL, prepare: e.DATABASE_PREPARE },
    dapr: {
      baseUrl: `http://127.0.0.1:${e.DAPR_HTTP_PORT}`,
      apiToken: e.DAPR_API_TOKEN,
      appToken: e.APP_API_TOKEN,
    },
    /** Who makes the occurrences of events: the worker itself, or tasks-api, invoked by the worker. */
    recurrenceCreatesVia: e.RECURRENCE_CREATES_VIA,
    mail: { from: e.MAIL_FROM },
    /** Of our own mail relay: the SMTP server it passes mail on to (a mailbox folder without one), and its port. */
    mailRelay: { smtpUrl: e.MAIL_SMTP_URL, port: e.MAIL_RELAY_PORT },
    push: { vapidKeys: e.VAPID_KEYS, fcmProject: e.FCM_PROJECT },
    /** Networks that are no secret from users: requests they ask for may go there, without TLS and to any port. */
    outboundAllow: e.OUTBOUND_ALLOW,
    /** An OIDC issuer whose tokens are accepted beside our own. */
    oidc: e.OIDC_ISSUER
      ? { issuer: e.OIDC_ISSUER, audience: e.OIDC_AUDIENCE, jwksUrl: e.OIDC_JWKS_URL }
      : undefined,
    logLevel: e.LOG_LEVEL,
    /** For the embedded sidecar's secretstores.local.env. */
    environment: env,
  }
}
