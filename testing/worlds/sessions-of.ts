import type { Person } from './api-client.ts'
import type { apiWorld } from './api-world.ts'

/** What a person sees of sessions: whether the access and the refresh token work, which is this one, which were revoked. */
export function sessionsOf(world: Awaited<ReturnType<typeof apiWorld>>) {
  return {
    statusOf: async ({ token }: Person) => (await world.ask('GET', '/api/me', { token })).status,
    refresh: async ({ refreshToken }: Person) =>
      (await world.ask('POST', '/api/auth/refresh', { json: { refresh_token: refreshToken } })).status,
    idOf: async ({ token }: Person) => {
      const { text } = await world.ask('GET', '/api/auth/sessions', { token })
      const { items } = JSON.parse(text) as { items: { id: string; current: boolean }[] }
      return items.find(({ current }) => current)!.id
    },
    revocations: async (person: Person) =>
      (await world.eventsOf(person))
        .filter(({ type }) => type === 'auth.token.revoked')
        .map(({ data }) => data as { reason: string; actor: object }),
  }
}
