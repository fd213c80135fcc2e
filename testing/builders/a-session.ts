import { sessionExpiry, type Session } from '../../shared/domain/auth/identity-session.ts'
import { systemIds } from '../../shared/kit/system.ts'

export const aSession = (userId: string, createdAt: Date, over: Partial<Session> = {}): Session => ({
  id: systemIds.uuid(),
  userId,
  seed: 'seed',
  tokenDigest: 'first',
  previousDigest: null,
  rotatedAt: null,
  createdAt,
  expiresAt: sessionExpiry(createdAt, createdAt),
  revokedAt: null,
  scopes: null,
  clientId: null,
  version: 1,
  clientAddress: '203.0.113.9',
  userAgent: 'a browser',
  ...over,
})
