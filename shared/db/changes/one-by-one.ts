export type OneByOne = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Runs works of one key one after the other, in the order they came; those of another key beside them. */
export function oneByOne(): OneByOne {
  const lastOf = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const mine = (lastOf.get(key) ?? Promise.resolve()).then(work, work)
    lastOf.set(key, mine)
    const forget = () => {
      if (lastOf.get(key) === mine) lastOf.delete(key)
    }
    mine.then(forget, forget)
    return mine
  }
}
