import type { Sql } from '../../shared/db/connect.ts'

/** A pool for a sidecar that is going to be killed: from then on nothing of it reaches the database. */
export function mortal(sql: Sql): Sql & { die(): void } {
  let isDead = false
  const die = (): void => {
    isDead = true
  }
  const rejected = () => Promise.reject(new Error('the process is dead'))
  const proxy = new Proxy(sql, {
    apply(target, self, args: unknown[]) {
      const isQuery = Array.isArray(args[0]) && 'raw' in args[0]
      return isDead && isQuery ? rejected() : (Reflect.apply(target, self, args) as unknown)
    },
    get(target, name) {
      if (name === 'die') return die
      return isDead && name === 'begin' ? rejected : (Reflect.get(target, name) as unknown)
    },
  })
  return proxy as Sql & { die(): void }
}
