import { isDeepStrictEqual } from 'node:util'
import type { TaskView } from '../../shared/domain/tasks/task.ts'

interface ChangeItem {
  type: string
  sequence: string
  userid: string
  data: { task?: { id: string; version: number } }
}

/**
 * The plain tasks of one innocent user as the answers so far say, and what any later answer has to be. What became of a
 * write whose answer was wrong is doubtful: that task is asked about no more, so that one fault is counted once.
 */
export function createOwnTasks(userId: string) {
  const known = new Map<string, TaskView>()
  const mine = new Set<string>()
  const doubtful = new Set<string>()
  /** Changes that the feed has not told of yet. */
  let untold: { type: string; id: string; version: number }[] = []
  let sequence = 0

  const isSure = ({ id, title }: TaskView) => !doubtful.has(id) && !doubtful.has(title)
  const sure = () => [...known.values()].filter(isSure)

  return {
    count: () => known.size,
    sequence: () => sequence,
    beginAt: (last: number) => void (sequence = last),
    any: (): TaskView | undefined => sure()[Math.floor(Math.random() * sure().length)],
    open: (): TaskView | undefined => sure().find((task) => !task.is_completed),
    oldest: (): TaskView | undefined => sure()[0],
    doubt: (idOrTitle: string) => void doubtful.add(idOrTitle),
    wrote: (type: string, task: TaskView) => {
      mine.add(task.id)
      known.delete(task.id)
      known.set(task.id, task)
      untold.push({ type, id: task.id, version: task.version })
    },
    removed: (task: TaskView) => {
      known.delete(task.id)
      untold.push({ type: 'task.deleted', id: task.id, version: task.version + 1 })
    },
    /** Whether this is all of them, newest first. */
    isList: (items: readonly (TaskView | null)[]): boolean => {
      if (items.includes(null)) return false
      const expected = sure().toSorted(
        (a, b) => b.created_at.localeCompare(a.created_at) || a.id.localeCompare(b.id),
      )
      return isDeepStrictEqual((items as TaskView[]).filter(isSure), expected)
    },
    /** What is wrong with a page of changes after the last, or null. */
    faultOf: (items: readonly (ChangeItem | null)[], hasMore: boolean): string | null => {
      for (const item of items) {
        if (!item) return 'an item is null'
        if (item.userid !== userId) return `an item is of ${item.userid}`
        if (Number(item.sequence) !== sequence + 1) return `${item.sequence} came after ${sequence}`
        sequence += 1
      }
      const told = (items as ChangeItem[]).flatMap(({ type, data }) => {
        const { id = '', version = 0 } = data.task ?? {}
        return mine.has(id) && !doubtful.has(id) ? [{ type, id, version }] : []
      })
      const owed = untold.filter(({ id }) => !doubtful.has(id))
      untold = owed.slice(told.length)
      const isRight = isDeepStrictEqual(told, owed.slice(0, told.length)) && (hasMore || untold.length === 0)
      return isRight ? null : `told of ${JSON.stringify(told)} rather than ${JSON.stringify(owed)}`
    },
  }
}
