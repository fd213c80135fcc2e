import type { Capability } from '../../shared/app/capabilities.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { leavesEvents } from '../../shared/kit/leaves-events.ts'

/** What a unit needs of the platform. */
export interface Needs {
  /** Dapr components by name. */
  components: readonly string[]
  /** Parts of Dapr's HTTP API. */
  api: readonly DaprApi[]
  /** Secrets that the app itself reads from the secret store. */
  secrets: readonly string[]
  /** Hosts beyond the database and the sidecar. `$NAME`: the host in that setting, where it is set. */
  egress: readonly string[]
}

/** With the version in which shared/dapr calls it. */
export const DAPR_API = {
  publish: 'v1',
  jobs: 'v1',
  bindings: 'v1',
  secrets: 'v1',
  invoke: 'v1',
  state: 'v1',
  conversation: 'v1alpha2',
} as const
type DaprApi = keyof typeof DAPR_API

const VAPID_KEYS = ['vapidpublickey', 'vapidprivatekey']

/** What each capability needs beyond the database; see shared/app/capabilities.ts. */
const PLATFORM: Readonly<Record<Capability, Partial<Needs>>> = {
  tasks: {},
  suggestions: {},
  reminders: {},
  notifications: {},
  // The keys of an issuer other than Daybook (shared/identity/oidc.ts).
  identity: { egress: ['$OIDC_ISSUER', '$OIDC_JWKS_URL'] },
  deadLetters: {},
  housekeeping: {},
  accounts: {},
  audit: {},
  // The documents of programs, wherever they are; shared/channels/safe-fetch.ts keeps to public addresses.
  clients: { egress: ['*'] },
  checkpoints: { components: ['secretstore'], api: ['secrets'], secrets: ['auditkey'] },
  zones: {},
  health: {},
  streams: {},
  snapshots: {},
  events: { components: ['pubsub'], api: ['publish'] },
  jobs: { api: ['jobs'] },
  units: { api: ['invoke'] },
  pushKeys: { components: ['secretstore'], api: ['secrets'], secrets: VAPID_KEYS },
  deliveries: {
    components: ['mail', 'push', 'secretstore'],
    api: ['bindings', 'secrets'],
    secrets: [...VAPID_KEYS, 'fcmserviceaccount'],
    // Push services and webhooks, wherever users have them; shared/channels/safe-fetch.ts keeps to public addresses.
    egress: ['oauth2.googleapis.com', '*'],
  },
}

export function needsOf(functions: readonly DaybookFunction[]): Needs {
  const capabilities = new Set<Capability>(functions.flatMap(({ uses }) => uses))
  if (functions.some(leavesEvents)) capabilities.add('events')
  if (functions.some((fn) => fn.kind === 'http' && fn.spec.auth !== 'none')) capabilities.add('identity')
  const all = [...capabilities].map((capability) => PLATFORM[capability])
  const union = <T extends string>(lists: readonly (readonly T[] | undefined)[]) =>
    [...new Set(lists.flatMap((list) => list ?? []))].toSorted()
  return {
    components: union(all.map(({ components }) => components)),
    api: union(all.map(({ api }) => api)),
    secrets: union(all.map(({ secrets }) => secrets)),
    egress: union(all.map(({ egress }) => egress)),
  }
}
