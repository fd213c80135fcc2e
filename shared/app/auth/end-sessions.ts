import type { IdentityChange } from './ports.ts'

/**
 * The part of a change that ends the sessions of a user, all or all but one: their refresh tokens, tickets and push
 * subscriptions. A session that is opened at the same moment is either seen here, or refused by its own commit.
 */
export const endSessions = (
  userId: string,
  except: string | null = null,
): Pick<IdentityChange, 'endedSessions'> => ({ endedSessions: { userId, except, tokens: false } })

/**
 * The same with API tokens, for a change that makes the password another one: whoever knew the old one may have made some.
 * It is one change, so that neither is committed without the other.
 */
export const endAccess = (
  userId: string,
  except: string | null = null,
): Pick<IdentityChange, 'endedSessions'> => ({ endedSessions: { userId, except, tokens: true } })
