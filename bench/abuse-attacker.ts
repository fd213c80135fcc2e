import { setMaxListeners } from 'node:events'
import { setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Attack } from './abuse/attack.ts'
import { attacks, type AttackName } from './abuse/attacks.ts'
import { answerParent } from './abuse/child.ts'
import { startHangingHost } from './abuse/hanging-host.ts'

// The attackers of `npm run bench abuse`, in a process that gives way to the others: real ones have machines of their own.
const NICE = 5

setPriority(NICE)
const host = await startHangingHost('127.0.0.3')
answerParent(
  { hooks: host.url },
  {
    attack: async ({ url, name, plan, ms }: { url: string; name: AttackName; plan: unknown; ms: number }) => {
      const counts: Record<string, number> = {}
      const over = new AbortController()
      const { signal } = over
      setMaxListeners(0, signal)
      const got = (what: string) => void (counts[what] = (counts[what] ?? 0) + 1)
      const attack = (attacks[name] as Attack<unknown>)({ url, signal, got }, plan)
      attack.catch(() => {}) // awaited below
      await Promise.race([delay(ms), attack])
      over.abort()
      await attack
      return counts
    },
    hang: host.hang,
    release: host.release,
  },
)
