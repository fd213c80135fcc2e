import { editDistance } from './edit-distance.ts'

const MAX_LENGTH = 100

/** Of the names that are known the one that was probably meant: spelt, cut short or put together differently. Null for none. */
export function nearestName(name: string, known: readonly string[]): string | null {
  if (name.length > MAX_LENGTH) return null
  const typed = snakeCase(name)
  const most = typed.length < 3 ? 0 : typed.length < 5 ? 1 : typed.length < 9 ? 2 : 3
  const near = known
    .map((other) => ({ other, distance: editDistance(typed, snakeCase(other), most) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance)
  return near[0]?.other ?? known.find((other) => sharesParts(typed, snakeCase(other))) ?? null
}

const snakeCase = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase()

/** `sort` and `sort_by`, `due_date_after` and `due_after`: all words of the one are words of the other. */
function sharesParts(a: string, b: string): boolean {
  const [few, many] = [new Set(a.split('_')), new Set(b.split('_'))].toSorted((x, y) => x.size - y.size)
  return few!.isSubsetOf(many!)
}
