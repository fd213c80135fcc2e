import { z } from 'zod'
import { DaprError } from './dapr-error.ts'
import { readJson, type Transport } from './transport.ts'

const Metadata = z.object({
  id: z.string().default(''),
  runtimeVersion: z.string().default(''),
  components: z
    .array(z.object({ name: z.string(), type: z.string(), version: z.string().default('') }))
    .default([]),
})
export type SidecarMetadata = z.infer<typeof Metadata>

/** Source: Dapr Health and Metadata API references. */
export function createHealth({ call }: Transport) {
  return {
    /** Whether the sidecar takes calls: its components are loaded. It says nothing about the app or the broker. */
    async outbound(): Promise<boolean> {
      try {
        await call({ operation: 'health', method: 'GET', path: ['v1.0', 'healthz', 'outbound'] })
        return true
      } catch (error) {
        if (error instanceof DaprError) return false
        throw error
      }
    },

    /** App-id, version and loaded components. */
    async metadata(): Promise<SidecarMetadata> {
      const operation = 'metadata'
      return readJson(
        operation,
        await call({ operation, method: 'GET', path: ['v1.0', 'metadata'] }),
        Metadata,
      )
    },
  }
}
