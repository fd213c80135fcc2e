import type { Destination } from '../ports.ts'

/**
 * The host of a URL that a user named, whichever its port and spelling; undefined where a delivery leads to a service of
 * ours.
 */
export function namedHost(destination: Destination): string | undefined {
  const url =
    destination.channel === 'webhook'
      ? destination.url
      : destination.channel === 'web_push'
        ? destination.endpoint
        : undefined
  return url === undefined ? undefined : URL.parse(url)?.hostname.replace(/\.$/, '')
}
