import {
  createMcpHandler,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { DomainError } from '../domain/errors.ts'
import { mcpServer, type McpCaller } from './mcp-server.ts'

/** As that of the API. */
const MAX_BODY_BYTES = 1024 * 1024

/** Answers one request in JSON: of the present revision, and without a session those of the ones before. */
export async function serveMcp(request: Request, caller: McpCaller): Promise<Response> {
  // The SDK takes up to a hundred at once, which no revision served here has.
  if (request.method === 'POST' && /^\s*\[/.test(await request.clone().text())) {
    throw new DomainError('request.malformed', 'Send one message, not an array of them.')
  }
  const limit = { maxRequestBodySize: MAX_BODY_BYTES }
  if (request.method === 'POST' && (await isLegacyRequest(request, undefined, limit))) {
    return serveLegacy(request, caller)
  }
  return createMcpHandler(() => mcpServer(caller), limit).fetch(request)
}

/** The handler above would answer them by an event stream. */
async function serveLegacy(request: Request, caller: McpCaller): Promise<Response> {
  const server = mcpServer(caller)
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport)
  try {
    return await transport.handleRequest(request)
  } finally {
    await server.close()
  }
}
