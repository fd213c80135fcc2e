import { attacksByRequests } from './attacks-by-requests.ts'
import { attacksBySockets } from './attacks-by-sockets.ts'

export const attacks = { ...attacksByRequests, ...attacksBySockets }
export type AttackName = keyof typeof attacks
