/** A result without what says nothing: null and empty lists, which half of a task is. */
export function lean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lean)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (isEmpty(each) ? [] : [[name, lean(each)]])),
  )
}

const isEmpty = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0)
