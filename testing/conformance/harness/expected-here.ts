import { TestRunner } from 'vitest'
import { DIFFERENCES } from '../differences.ts'
import { currentProfile, placesOf, type Place } from './profile.ts'

/** What a test learned about differences; the matrix is made of it. */
export interface FoundDifference {
  readonly id: string
  readonly place: Place
}

declare module 'vitest' {
  export interface TaskMeta {
    differences?: FoundDifference[]
  }
}

/**
 * What to expect of this sidecar: the usual, or what the table of differences declares for it. So a declared difference
 * is asserted like everything else, and a test fails as soon as it is gone.
 */
export function expectedHere<T>(id: string, usual: T): T {
  const places = placesOf(currentProfile())
  const difference = DIFFERENCES.find((each) => each.id === id && places.includes(each.place))
  if (!difference) return usual
  const { meta } = TestRunner.getCurrentTest()!
  meta.differences = [...(meta.differences ?? []), { id, place: difference.place }]
  return difference.value as T
}
