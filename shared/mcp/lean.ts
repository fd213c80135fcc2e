type Fields = Record<string, unknown>

/** A result without what says nothing: null, and empty lists of its items, which half of a task is. */
export const lean = (value: unknown): unknown => leaner(value, (each) => each === null)

const isEmpty = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0)

function leaner(value: unknown, isLeftOut: (each: unknown) => boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => leaner(each, isEmpty))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value as Fields).flatMap(([name, each]) =>
      isLeftOut(each) ? [] : [[name, leaner(each, isEmpty)]],
    ),
  )
}
