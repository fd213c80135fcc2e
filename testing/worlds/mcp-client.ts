import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { onTestFinished } from 'vitest'

export type Era = '2025-11-25' | '2026-07-28'

/** A client of the official SDK, over HTTP, until the test is over. */
export async function mcpClient(port: number, token: string, era: Era = '2026-07-28'): Promise<Client> {
  const mode = era === '2026-07-28' ? { pin: era } : ('legacy' as const)
  const client = new Client({ name: 'a test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  )
  onTestFinished(() => client.close())
  return client
}

/** What a tool answered, as the client has it. */
export async function called(client: Client, name: string, args: object = {}) {
  const {
    isError = false,
    structuredContent,
    content,
  } = await client.callTool({
    name,
    arguments: args as Record<string, unknown>,
  })
  const [first] = content as { text: string }[]
  const value = JSON.parse(first!.text) as Record<string, unknown>
  return { isError, value, structuredContent: structuredContent as Record<string, unknown> | undefined }
}
