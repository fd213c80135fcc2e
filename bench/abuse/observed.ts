/** What the innocent do; each is judged against itself in quiet times. */
export type Kind =
  | 'create'
  | 'edit'
  | 'complete'
  | 'delete'
  | 'get'
  | 'list'
  | 'search'
  | 'changes'
  | 'account'
  | 'refresh'
  | 'sign-in'
  | 'sign-in elsewhere'
  | 'sign-out'
  | 'next occurrence'
  | 'reminder'
  | 'webhook'

/** What happened to the innocent within one window of time. */
export interface Observed {
  latencies: Map<Kind, number[]>
  /** Every answer that was not what their model says, as a sentence. */
  wrong: string[]
}

export const nothingYet = (): Observed => ({ latencies: new Map(), wrong: [] })

/** Where innocents write down what happens; the bench changes where that is from window to window. */
export interface Notes {
  took(kind: Kind, ms: number): void
  wrong(sentence: string): void
}

export function createNotes(): Notes & { observed: Observed } {
  return {
    observed: nothingYet(),
    took(kind, ms) {
      const { latencies } = this.observed
      if (!latencies.has(kind)) latencies.set(kind, [])
      latencies.get(kind)!.push(ms)
    },
    wrong(sentence) {
      this.observed.wrong.push(sentence)
    },
  }
}
