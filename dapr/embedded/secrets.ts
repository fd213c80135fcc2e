import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { findComponent, type SidecarContext } from './context.ts'
import { apiError, messageOf } from './errors.ts'
import { metadataValue, type Component } from './resources.ts'

type Secret = Record<string, string>

interface SecretStore {
  /** Throws an Error when there is no such secret. */
  get(name: string): Promise<Secret>
  all(): Promise<Record<string, Secret>>
}

/** `GET /secrets/{store}/{key}` and `/bulk`, from the environment or from a JSON file. */
export function secretRoutes(context: SidecarContext): Hono {
  const app = new Hono()
  app.get('/v1.0/secrets/:store/bulk', async (c) => {
    const store = openStore(context, c)
    try {
      return c.json(await store.all())
    } catch (error) {
      throw apiError(
        500,
        'ERR_SECRET_GET',
        `failed getting secrets from secret store ${c.req.param('store')}: ${messageOf(error)}`,
      )
    }
  })
  app.get('/v1.0/secrets/:store/:key', async (c) => {
    const store = openStore(context, c)
    const { store: name, key } = c.req.param()
    try {
      return c.json(await store.get(key))
    } catch (error) {
      throw apiError(
        500,
        'ERR_SECRET_GET',
        `failed getting secret with key ${key} from secret store ${name}: ${messageOf(error)}`,
      )
    }
  })
  return app
}

function openStore(context: SidecarContext, c: Context): SecretStore {
  if (!context.components.some(({ type }) => type.startsWith('secretstores.'))) {
    throw apiError(500, 'ERR_SECRET_STORES_NOT_CONFIGURED', 'secret store is not configured')
  }
  const name = c.req.param('store')!
  const component = findComponent(context, name, 'secretstores.')
  if (component?.type === 'secretstores.local.env') return environmentStore(context, component)
  if (component?.type === 'secretstores.local.file') return fileStore(context, component)
  throw apiError(401, 'ERR_SECRET_STORE_NOT_FOUND', `failed finding secret store with key ${name}`)
}

function environmentStore({ env }: SidecarContext, component: Component): SecretStore {
  const prefix = metadataValue(component, 'prefix', env) ?? ''
  const isAllowed = (name: string) => !/^(?:APP_API_TOKEN$|DAPR_)/i.test(name)
  return {
    // A variable that is not set is an empty secret, not an error.
    get: async (name) => ({ [name]: (isAllowed(prefix + name) && env[prefix + name]) || '' }),
    all: async () =>
      Object.fromEntries(
        Object.entries(env)
          .filter(([name]) => name.startsWith(prefix) && name.length > prefix.length && isAllowed(name))
          .map(([name, value]) => [name.slice(prefix.length), { [name.slice(prefix.length)]: value ?? '' }]),
      ),
  }
}

/** `secretsFile` is found from the data directory. It is read for every call, so a new secret needs no restart. */
function fileStore({ dataDir, env }: SidecarContext, component: Component): SecretStore {
  const path = resolve(dataDir, metadataValue(component, 'secretsFile', env) ?? '')
  const separator = metadataValue(component, 'nestedSeparator', env) || ':'
  const isMultiValued = metadataValue(component, 'multiValued', env) === 'true'

  async function load(): Promise<Record<string, Secret>> {
    const content = z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, 'utf8')))
    const entries = isMultiValued
      ? Object.entries(content).map(([name, value]): [string, Secret] => [
          name,
          typeof value === 'object' && value !== null ? flatten(value, separator) : { [name]: String(value) },
        ])
      : Object.entries(flatten(content, separator)).map(([name, value]): [string, Secret] => [
          name,
          { [name]: value },
        ])
    return Object.fromEntries(entries)
  }

  return {
    async get(name) {
      const secret = (await load())[name]
      if (!secret) throw new Error(`secret ${name} not found`)
      return secret
    },
    all: load,
  }
}

function flatten(value: object, separator: string): Secret {
  const flat: Secret = {}
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    const isNested = typeof inner === 'object' && inner !== null
    if (!isNested) flat[name] = typeof inner === 'string' ? inner : JSON.stringify(inner)
    else
      for (const [rest, text] of Object.entries(flatten(inner, separator)))
        flat[`${name}${separator}${rest}`] = text
  }
  return flat
}
