import { z } from 'zod'
import { readJson, type Transport } from './transport.ts'

const Secret = z.record(z.string(), z.string())

/** Source: Dapr Secrets API reference. */
export function createSecrets({ call }: Transport) {
  return {
    /** The values of one secret by key; empty when the store has none, and `''` for a variable that is not set. */
    async get(store: string, name: string): Promise<Record<string, string>> {
      const operation = `get secret ${store}`
      const answer = await call({ operation, method: 'GET', path: ['v1.0', 'secrets', store, name] })
      return answer.status === 204 ? {} : readJson(operation, answer, Secret)
    },

    /** All secrets that this app may read, by name. */
    async bulk(store: string): Promise<Record<string, Record<string, string>>> {
      const operation = `get secrets ${store}`
      const answer = await call({ operation, method: 'GET', path: ['v1.0', 'secrets', store, 'bulk'] })
      return answer.status === 204 ? {} : readJson(operation, answer, z.record(z.string(), Secret))
    },
  }
}
