import type { IdentityChange } from './ports.ts'

/**
 * The part of a change that ends the sessions of a user, all or all but one, with their refresh tokens, tickets and push
 * subscriptions, and all API tokens: whoever had one of those sessions may have made some. A session that is opened at the same
 * moment is either seen here, or refused by its own commit.
 */
export const endSessions = (
  userId: string,
  except: string | null = null,
): Pick<IdentityChange, 'endedSessions'> => ({ endedSessions: { userId, except } })
