import { describe, expect, it } from 'vitest'
import { suggest } from './suggest.ts'
import {
  suggestionKey,
  suggestionId,
  type DoneTask,
  type Feedback,
  type OpenTask,
  type SuggestionKind,
} from './suggestion.ts'

// A Wednesday.
const now = new Date('2026-12-02T09:30:00Z')
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

const open = (n: number, task: Partial<OpenTask> = {}): OpenTask => ({
  id: id(n),
  title: `Thing ${n}`,
  priority: 'medium',
  tags: [],
  dueAt: null,
  dueDate: null,
  timeZone: 'UTC',
  createdAt: new Date('2026-12-01T00:00:00Z'),
  ...task,
})
const done = (task: Partial<DoneTask> = {}): DoneTask => ({
  title: 'Something',
  priority: 'medium',
  tags: [],
  completedAt: new Date('2026-11-20T03:00:00Z'),
  ...task,
})
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)
const said = (feedback: Partial<Feedback>): Feedback => ({
  kind: 'next',
  taskId: id(1),
  value: null,
  verdict: 'dismissed',
  at: new Date('2026-12-02T09:00:00Z'),
  ...feedback,
})

interface Given {
  open?: OpenTask[]
  done?: DoneTask[]
  feedback?: Feedback[]
}

const suggested = (given: Given, timeZone = 'UTC') =>
  suggest({ open: [], done: [], feedback: [], ...given }, { now, timeZone, limit: 5 })
const ofKind = (kind: SuggestionKind, given: Given, timeZone?: string) =>
  suggested(given, timeZone)
    .items.filter((item) => item.kind === kind)
    .map(({ task_id, value, reason }) => [Number(task_id.slice(-2)), value, reason])

describe('what to do next', () => {
  it('is first what is overdue, then what is due soon, then what matters', () => {
    const tasks = [
      open(1),
      open(2, { priority: 'low' }),
      open(3, { priority: 'high' }),
      open(4, { dueDate: '2026-12-07' }),
      open(5, { dueDate: '2026-12-03' }),
      open(6, { dueDate: '2026-12-02' }),
      open(7, { dueDate: '2026-12-02', dueAt: new Date('2026-12-02T10:00:00Z') }),
      open(8, { dueDate: '2026-11-30' }),
      open(9, { dueDate: '2026-12-02', dueAt: new Date('2026-12-02T09:00:00Z'), priority: 'high' }),
    ]
    const { items } = suggest({ open: tasks, done: [], feedback: [] }, { now, timeZone: 'UTC', limit: 20 })
    expect(items.map(({ task_id, reason }) => [Number(task_id.slice(-2)), reason])).toEqual([
      [9, 'overdue since 2026-12-02, high priority'],
      [8, 'overdue since 2026-11-30'],
      [7, 'due within 2 hours'],
      [6, 'due today'],
      [5, 'due tomorrow'],
      [4, 'due on 2026-12-07'],
      [3, 'high priority'],
      [1, 'open'],
      [2, 'open'],
    ])
  })

  it('counts days in the zone of the task', () => {
    const late = { dueDate: '2026-12-01', timeZone: 'Pacific/Kiritimati' }
    const early = { dueDate: '2026-12-01', timeZone: 'Pacific/Pago_Pago' }
    expect(ofKind('next', { open: [open(1, early), open(2, late)] })).toEqual([
      [2, null, 'overdue since 2026-12-01'],
      [1, null, 'due today'],
    ])
  })

  it('is at this hour of the week what is usually done then', () => {
    const completedAt = new Date('2026-11-25T10:10:00Z')
    expect(
      ofKind('next', {
        open: [open(1), open(2, { tags: ['Gym'] })],
        done: [done({ tags: ['gym'], completedAt })],
      }),
    ).toEqual([
      [2, null, '#Gym is often done at this time'],
      [1, null, 'open'],
    ])
  })

  it('is not for a day what was dismissed, and later than before then', () => {
    const tasks = [open(1), open(2)]
    expect(ofKind('next', { open: tasks, feedback: [said({})] })).toEqual([[2, null, 'open']])
    const yesterday = said({ at: new Date('2026-12-01T09:30:00Z') })
    expect(ofKind('next', { open: tasks, feedback: [yesterday] }).map(([n]) => n)).toEqual([2, 1])
  })
})

describe('what tasks lack', () => {
  const history = times(3, done({ title: 'Pay the rent', tags: ['Home'], priority: 'high' }))

  it.each<[string, SuggestionKind, Given, unknown[]]>([
    [
      'a tag',
      'tag',
      { open: [open(1, { title: 'Rent of May' })], done: history },
      [[1, 'Home', '3 of 3 tasks with "rent" have this tag']],
    ],
    [
      'no tag where it has one',
      'tag',
      { open: [open(1, { title: 'Rent', tags: ['x'] })], done: history },
      [],
    ],
    [
      'no tag by one task alone',
      'tag',
      { open: [open(1, { title: 'Rent' })], done: history.slice(0, 1) },
      [],
    ],
    [
      'no tag that few have',
      'tag',
      { open: [open(1, { title: 'Rent' })], done: [...history, ...times(3, done({ title: 'Rent' }))] },
      [],
    ],
    [
      'a priority',
      'priority',
      { open: [open(1, { title: 'Rent' })], done: times(9, history[0]!) },
      [[1, 'high', '9 of 9 tasks with "rent" have this priority']],
    ],
    [
      'no priority where it has one',
      'priority',
      { open: [open(1, { title: 'Rent', priority: 'low' })], done: times(9, history[0]!) },
      [],
    ],
    [
      'a time of day, by its tag',
      'time',
      { open: [open(1, { tags: ['home'], dueDate: '2026-12-05' })], done: history },
      [[1, '03:00', '3 of 3 tasks with #home were completed in this hour']],
    ],
    [
      'a time of day, by all tasks',
      'time',
      { open: [open(1, { dueDate: '2026-12-05' })], done: times(3, done()) },
      [[1, '03:00', '3 of 3 tasks were completed in this hour']],
    ],
    ['no time where it has no day', 'time', { open: [open(1)], done: history }, []],
    [
      'no time where it has one',
      'time',
      { open: [open(1, { dueDate: '2026-12-05', dueAt: new Date('2026-12-05T08:00:00Z') })], done: history },
      [],
    ],
  ])('is %s', (_, kind, given, expected) => {
    expect(ofKind(kind, given)).toEqual(expected)
  })

  it('is a time of day in the zone that is asked for', () => {
    const given = { open: [open(1, { dueDate: '2026-12-05' })], done: times(3, done()) }
    expect(ofKind('time', given, 'Asia/Kolkata')[0]?.[1]).toBe('08:00')
  })

  it('is not what was dismissed for this task, and needs more where it was for others', () => {
    const given = {
      open: [open(1, { title: 'Rent' }), open(2, { title: 'Rent' })],
      done: times(9, history[0]!),
    }
    const tag = (taskId: string, verdict: Feedback['verdict'] = 'dismissed') =>
      said({ kind: 'tag', taskId, value: 'Home', verdict })
    const tagged = (feedback: Feedback[]) => ofKind('tag', { ...given, feedback }).map(([n]) => n)
    expect(tagged([])).toEqual([1, 2])
    expect(tagged([tag(id(1))])).toEqual([2])
    expect(tagged([tag(id(1)), tag(id(8))])).toEqual([])
    expect(tagged([tag(id(1)), tag(id(8)), tag(id(9), 'accepted')])).toEqual([2])
  })
})

describe('the hours of the week in which most is done', () => {
  it('are at most three, and none of a single task', () => {
    const at = (text: string, count: number) => times(count, done({ completedAt: new Date(text) }))
    const given = {
      done: [
        ...at('2026-11-23T08:10:00Z', 2),
        ...at('2026-11-24T08:50:00Z', 4),
        ...at('2026-11-25T08:00:00Z', 1),
        ...at('2026-11-26T20:00:00Z', 3),
        ...at('2026-11-29T20:00:00Z', 2),
      ],
    }
    expect(suggested(given).time_slots).toEqual([
      { weekday: 'TU', hour: 8, completed: 4 },
      { weekday: 'TH', hour: 20, completed: 3 },
      { weekday: 'MO', hour: 8, completed: 2 },
    ])
  })
})

describe('the id of a suggestion', () => {
  it.each([
    { kind: 'next', taskId: id(1), value: null },
    { kind: 'tag', taskId: id(1), value: 'Küche/日本 🎂' },
    { kind: 'time', taskId: id(1), value: '09:00' },
  ] as const)('says what $kind it is', (key) => {
    expect(suggestionKey(suggestionId(key))).toEqual(key)
  })

  it.each([
    'next',
    `next.${id(1)}.a`,
    `tag.${id(1)}`,
    `tag.${id(1)}.=`,
    `tag.${id(1)}.AA`,
    `tag.x.aGk`,
    `other.${id(1)}`,
    `tag.${id(1)}.aGl`,
  ])('is not %s', (text) => {
    expect(suggestionKey(text)).toBeNull()
  })
})
