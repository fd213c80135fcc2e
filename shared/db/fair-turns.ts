import type { StartTimer } from '../app/ports.ts'
import { DomainError } from '../domain/errors.ts'

interface Limits {
  /** Running at a time, each of another user. */
  atOnce: number
  /** Of one user, running and waiting. */
  maxOfUser: number
  /** Users with something running or waiting. */
  maxUsers: number
  /** Nobody waits longer for a turn. */
  maxWaitMs: number
}

interface User {
  isRunning: boolean
  waiting: (() => void)[]
}

/**
 * Runs work of many users, one at a time of each and the users in turn, so that nobody waits for all that another one
 * asks for. What is too much, or has waited too long, is not run: `service.unavailable`.
 */
export function createFairTurns({ atOnce, maxOfUser, maxUsers, maxWaitMs }: Limits, startTimer: StartTimer) {
  const users = new Map<string, User>()
  let running = 0

  function startNext(): void {
    for (const user of users.values()) {
      if (running >= atOnce) return
      if (user.isRunning) continue
      user.isRunning = true
      running += 1
      user.waiting.shift()!()
    }
  }

  return async function inTurn<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const user = users.get(userId) ?? { isRunning: false, waiting: [] }
    if (user.waiting.length + Number(user.isRunning) >= maxOfUser) throw busy()
    if (!users.has(userId) && users.size >= maxUsers) throw busy()
    users.set(userId, user)
    const turn = Promise.withResolvers<void>()
    const begin = () => {
      cancel()
      turn.resolve()
    }
    const cancel = startTimer(() => {
      user.waiting.splice(user.waiting.indexOf(begin), 1)
      if (user.waiting.length === 0 && !user.isRunning) users.delete(userId)
      turn.reject(busy())
    }, maxWaitMs)
    user.waiting.push(begin)
    startNext()
    await turn.promise
    try {
      return await work()
    } finally {
      user.isRunning = false
      running -= 1
      users.delete(userId)
      if (user.waiting.length > 0) users.set(userId, user)
      startNext()
    }
  }
}

const busy = () =>
  new DomainError('service.unavailable', 'Too many requests are waiting for this; try again.', {
    retryAfterSeconds: 2,
  })
