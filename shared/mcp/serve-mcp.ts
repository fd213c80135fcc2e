import { createMcpHandler } from '@modelcontextprotocol/server'
import { mcpServer, type McpCaller } from './mcp-server.ts'

/** As that of the API. */
const MAX_BODY_BYTES = 1024 * 1024

/** Answers one request: of the present revision, and without a session those of the one before. */
export const serveMcp = (request: Request, caller: McpCaller): Promise<Response> =>
  createMcpHandler(() => mcpServer(caller), {
    maxRequestBodySize: MAX_BODY_BYTES,
  }).fetch(request)
