import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { answerToWebhook } from '../../testing/worlds/answer-webhook.ts'

/** A host of webhooks that answers the first request to each path, which may be a trial of it, and hangs from then on. */
export async function startHangingHost(address: string) {
  const asked = new Set<string>()
  const hung = new Set<ServerResponse>()
  let isOver = false
  const server = createServer((request, response) => {
    const isFirst = !asked.has(request.url!)
    asked.add(request.url!)
    if (isFirst && !isOver) {
      void text(request).then((message) => response.end(answerToWebhook(message)))
      return
    }
    request.resume()
    if (isOver) response.writeHead(410).end()
    else hung.add(response)
  }).listen(0, address)
  await once(server, 'listening')
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    hang: () => void (isOver = false),
    /** Everything is answered by "gone", so that nobody is kept busy by it any more. */
    release: () => {
      isOver = true
      for (const response of hung) response.writeHead(410).end()
      hung.clear()
    },
  }
}
