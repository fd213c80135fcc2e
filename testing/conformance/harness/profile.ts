import { inject } from 'vitest'

/** Which sidecar the tests of a run talk to. */
export interface Profile {
  readonly name: string
  readonly pubsub: 'postgresql' | 'kafka' | 'redis'
  readonly state: 'postgresql' | 'redis'
  readonly isEmbedded: boolean
}

/** What a difference can belong to: the embedded sidecar, daprd whatever its components, or one component of daprd. */
export type Place = 'embedded' | 'daprd' | 'kafka' | 'redis streams' | 'postgresql state' | 'redis state'

declare module 'vitest' {
  export interface ProvidedContext {
    profile: Profile
  }
}

const EMBEDDED: Profile = {
  name: 'embedded',
  pubsub: 'postgresql',
  state: 'postgresql',
  isEmbedded: true,
}

export const PROFILES: readonly Profile[] = [
  EMBEDDED,
  { name: 'kafka + postgresql', pubsub: 'kafka', state: 'postgresql', isEmbedded: false },
  { name: 'kafka + redis', pubsub: 'kafka', state: 'redis', isEmbedded: false },
  { name: 'redis + postgresql', pubsub: 'redis', state: 'postgresql', isEmbedded: false },
  { name: 'redis + redis', pubsub: 'redis', state: 'redis', isEmbedded: false },
]

/** The profile of this run; the embedded sidecar unless the configuration of the run says otherwise. */
export function currentProfile(): Profile {
  const given: Profile | undefined = inject('profile')
  return given ?? EMBEDDED
}

export function placesOf({ isEmbedded, pubsub, state }: Profile): readonly Place[] {
  if (isEmbedded) return ['embedded']
  return [
    'daprd',
    pubsub === 'kafka' ? 'kafka' : 'redis streams',
    state === 'redis' ? 'redis state' : 'postgresql state',
  ]
}
