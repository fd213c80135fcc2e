import type { Scope } from '../domain/scopes.ts'

type JsonSchema = Record<string, unknown>

/** What a client is told of a tool (tools/list). */
interface ToolDefinition {
  name: string
  description: string
  inputSchema: {
    type: 'object'
    properties: Record<string, JsonSchema>
    required?: string[]
    examples?: object[]
  }
  /** Of a result that is an object. Nothing is required in it: what is null or empty is left out of results. */
  outputSchema?: { type: 'object'; properties: Record<string, JsonSchema> }
  annotations: {
    readOnlyHint?: boolean
    destructiveHint?: boolean
    idempotentHint?: boolean
    openWorldHint: false
  }
}

/** How a tool is called: which function by which request. Rendered with its definition into docs/mcp-tools.json. */
export interface Tool extends ToolDefinition {
  call: {
    function: string
    scope: Scope
    method: string
    /** With the parameters of the function, `:id`. */
    path: string
    /** Argument to parameter of the path. */
    params: Record<string, string>
    query: readonly string[]
    /** Arguments that are fields of the body; null where there is none. */
    body: readonly string[] | null
    /** Fields of the answer that no model is given. */
    hides: readonly string[]
    defaults: Readonly<Record<string, string | number | boolean>>
    takesIdempotencyKey: boolean
    takesVersion: boolean
    /** Done twice it makes two, so that a key is derived where none is given. */
    creates: boolean
    /** Nothing is done without `confirm`. */
    destroys: boolean
  }
}
