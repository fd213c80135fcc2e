import { join, resolve } from 'node:path'
import { systemIds } from '../../shared/kit/system.ts'
import type { Config } from '../../shared/config.ts'
import { socketUrl } from '../../shared/db/connect.ts'
import type { EmbeddedPostgres } from '../embedded/embedded-postgres.ts'
import { prepareDatabase } from '../../shared/db/prepare-database.ts'
import { ownFolder } from '../../shared/private-folder.ts'
import { EDGE, type Unit } from '../../shared/kit/units.ts'
import { startScheduler } from '../../tools/dapr/scheduler.ts'
import type { Program } from '../../tools/program.ts'
import { loadUnits } from '../load-units.ts'
import { startMailRelay, type MailRelay } from '../mail-relay/relay.ts'
import { BROKERS, checkBroker, type BrokerName } from './broker.ts'
import { claimFolder, NAMES } from './claim.ts'
import { startDatabase } from './database.ts'
import { supervise, type Part, type SupervisedPart } from './part.ts'
import { planPorts, type Ports } from './ports.ts'
import { CONFIGURATION, writeResources } from './resources.ts'
import { sidecarOf, startApp, startSidecar, untilServed, type UnitContext, type UnitTokens } from './unit.ts'

/** Connections of a unit unless DATABASE_POOL says otherwise: eleven units stay well below the 100 of a PostgreSQL. */
const POOL = 6

export interface SelfHostedOptions {
  config: Config
  broker?: BrokerName
  /** Files of dapr/variants/ that take the place of default components, such as `mail-resend.yaml`; not the broker's. */
  variants?: readonly string[]
  /** Gets the progress, one line each. */
  say?: (line: string) => void
  /** Aborted, it starts nothing more, ends what it has started and rejects. */
  signal?: AbortSignal
}

export interface SelfHosted {
  readonly url: string
  readonly databaseUrl: string
  /** As the owner of the tables. */
  readonly migrationUrl: string
  /** As the state store of the sidecars. */
  readonly stateUrl: string
  /** Absolute; logs lie in logs/ below it. */
  readonly dataDir: string
  tokensOf(unitId: string): UnitTokens
  readonly units: readonly Unit[]
  readonly ports: Ports
  /** What every unit was started with, to start one more process beside them. */
  readonly unitContext: UnitContext
  /**
   * `postgres` (unless DATABASE_URL is set), `kafka` or `redis` (unless one was given), `scheduler`, and for each unit
   * `<unit>` and `<unit>-daprd`.
   */
  readonly parts: ReadonlyMap<string, Part>
  /** Throws when there is none of that name. */
  part(name: string): Part
  /** Ends everything in order: gateway, apps and sidecars, scheduler, broker, database. Nothing is left running. */
  stop(): Promise<void>
}

/**
 * Daybook on real Dapr on this machine: PostgreSQL, a broker, the scheduler, and per unit one Node process with one daprd.
 * All listen on 127.0.0.1, the gateway on `config.http`. Rejects with one line that says what to do, and then nothing is
 * left running. A part that dies later is started again.
 */
export async function startSelfHosted({
  config,
  broker = 'kafka',
  variants = [],
  say = () => {},
  signal,
}: SelfHostedOptions): Promise<SelfHosted> {
  const dataDir = resolve(config.dataDir, 'dapr')
  ownFolder(config.dataDir)
  const claim = await claimFolder(dataDir)
  if (claim.ended > 0) say(`ended ${claim.ended} processes left by an earlier start`)
  const parts = new Map<string, SupervisedPart>()
  let relay: MailRelay | undefined
  const stop = async () => {
    await stopAll(parts)
    await relay?.close()
    claim.release()
  }
  const add = async <P extends Program>(name: string, start: () => Promise<P>): Promise<P> => {
    signal?.throwIfAborted()
    let first: P | undefined
    const part = await supervise(name, async () => (first = await start()), say)
    parts.set(name, part)
    say(`${name} is ready`)
    return first!
  }
  try {
    const units = await loadUnits()
    // Each program that runs is ended with us by a listener of its own (tools/program.ts).
    process.setMaxListeners(process.getMaxListeners() + 2 * units.length + 3)
    const ports = await planPorts(units, config.http.port, dataDir)
    const opening = openDatabase(config, dataDir, add)
    const [brokerAddress] = await allOrNothing([
      openBroker({ config, broker, variants, dataDir, ports, say }, add),
      opening.then(() => ''),
      add('scheduler', () =>
        startScheduler({ dataDir: join(dataDir, 'scheduler'), ports: ports.scheduler }),
      ).then(({ address }) => address),
    ])
    const database = await opening
    const { variant, variable } = BROKERS[broker]
    const url = `http://${config.http.host}:${ports.units.get(EDGE)!.app}`
    if (!config.environment['DAYBOOK_MAIL_URL']) relay = await startMailRelay(config)
    const tokensOf = keepTokens(config)
    const context: UnitContext = {
      dataDir,
      namesFile: join(dataDir, NAMES),
      databaseUrl: database.databaseUrl,
      resourcesDir: join(dataDir, 'resources'),
      configurationDir: CONFIGURATION,
      tokensOf,
      pool: config.environment['DATABASE_POOL'] ? config.database.pool : POOL,
      schedulerAddress: `127.0.0.1:${ports.scheduler.api}`,
      environment: {
        ...config.environment,
        DAYBOOK_STATE_URL: database.stateUrl,
        [variable]: brokerAddress,
        ...(relay && { DAYBOOK_MAIL_URL: relay.url, DAYBOOK_MAIL_AUTHORIZATION: relay.authorization }),
        PUBLIC_URL: config.publicUrl ?? url,
      },
      logLevel: config.logLevel,
      gatewayHost: config.http.host,
    }
    writeResources(context.resourcesDir, variant === undefined ? variants : [variant, ...variants])
    await startUnits(units, { ports, context, add, say, signal })
    signal?.throwIfAborted()
    return {
      url,
      ...database,
      dataDir,
      tokensOf,
      units,
      ports,
      unitContext: context,
      parts,
      stop,
      part: (name) => {
        const part = parts.get(name)
        if (!part) throw new Error(`There is no part ${name}; there are ${[...parts.keys()].join(', ')}.`)
        return part
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type Add = <P extends Program>(name: string, start: () => Promise<P>) => Promise<P>

/** Waits for all, so that what still starts while another fails is known and can be ended. */
async function allOrNothing<T>(starts: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(starts)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return await Promise.all(starts)
}

/** Made at the first call for a unit, unless the operator has chosen one for all. */
function keepTokens({ dapr }: Config): (unitId: string) => UnitTokens {
  const known = new Map<string, UnitTokens>()
  const secret = () => systemIds.hex(32)
  return (unitId) => {
    const tokens = known.get(unitId) ?? { api: dapr.apiToken ?? secret(), app: dapr.appToken ?? secret() }
    known.set(unitId, tokens)
    return tokens
  }
}

type Database = Pick<SelfHosted, 'databaseUrl' | 'migrationUrl' | 'stateUrl'>

/** The embedded PostgreSQL, or the one in DATABASE_URL; migrated, so that units find the tables. */
async function openDatabase(config: Config, dataDir: string, add: Add): Promise<Database> {
  const { url, migrationUrl = url } = config.database
  const database = url
    ? {
        databaseUrl: url,
        migrationUrl: migrationUrl!,
        stateUrl: config.environment['DAYBOOK_STATE_URL'] ?? url,
      }
    : urlsOf((await add('postgres', () => startDatabase(dataDir, config.runtimeDir))).server)
  await prepareDatabase({ target: database.databaseUrl, ownerTarget: database.migrationUrl })
  return database
}

const urlsOf = (server: EmbeddedPostgres): Database => ({
  databaseUrl: socketUrl(server.target),
  migrationUrl: socketUrl(server.as('owner')),
  stateUrl: socketUrl(server.as('state')),
})

interface BrokerPlan {
  config: Config
  broker: BrokerName
  variants: readonly string[]
  dataDir: string
  ports: Ports
  say: (line: string) => void
}

async function openBroker(
  { config, broker, variants, dataDir, ports, say }: BrokerPlan,
  add: Add,
): Promise<string> {
  const kind = BROKERS[broker]
  const given = config.environment[kind.variable]
  if (given) await checkBroker(kind, given)
  else await add(broker, () => kind.start(dataDir, ports.broker))
  const address = given ?? `127.0.0.1:${ports.broker[0]}`
  // One that asks for a login is the user's own, and so is the file that `npm run topics` reads it from.
  if (!variants.some((variant) => variant.startsWith('pubsub-'))) await kind.prepare(address, !given, say)
  return address
}

interface UnitPlan {
  ports: Ports
  context: UnitContext
  add: Add
  say: (line: string) => void
  signal: AbortSignal | undefined
}

async function startUnits(
  units: readonly Unit[],
  { ports, context, add, say, signal }: UnitPlan,
): Promise<void> {
  await allOrNothing(
    units.map(async (unit) => {
      const own = ports.units.get(unit.id)!
      const [sidecar] = await allOrNothing([
        add(sidecarOf(unit.id), () => startSidecar(unit, own, context)),
        add(unit.id, () => startApp(unit, own, context)),
      ])
      await untilServed(unit, own, sidecar as Awaited<ReturnType<typeof startSidecar>>, signal)
      say(`${unit.id} is served`)
    }),
  )
}

/**
 * The gateway first, so that nobody is refused halfway; a worker's sidecar before its app, so that deliveries end; any
 * other app before its sidecar, so that it can publish what it has written.
 */
async function stopAll(parts: ReadonlyMap<string, SupervisedPart>): Promise<void> {
  const stop = async (...names: string[]) => {
    for (const name of names) await parts.get(name)?.stop()
  }
  await stop(EDGE, sidecarOf(EDGE))
  const apps = [...parts.keys()].filter((name) => parts.has(sidecarOf(name)) && name !== EDGE)
  await Promise.all(
    apps.map((app) => (app.endsWith('-worker') ? stop(sidecarOf(app), app) : stop(app, sidecarOf(app)))),
  )
  // What is left of a start that failed halfway, then the services in the order in which they need each other.
  const services = ['scheduler', 'kafka', 'redis', 'postgres']
  await Promise.all([...parts.keys()].filter((name) => !services.includes(name)).map((name) => stop(name)))
  await stop(...services)
}
