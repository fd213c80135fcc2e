import { expect, it } from 'vitest'
import { nearestName } from './nearest-name.ts'

const KNOWN = [
  'q',
  'title',
  'tags',
  'tags_mode',
  'due_after',
  'due_before',
  'sort_by',
  'sort_order',
  'page',
  'limit',
]

it.each([
  ['due_afer', 'due_after'],
  ['dueAfter', 'due_after'],
  ['due-before', 'due_before'],
  ['DUE_BEFORE', 'due_before'],
  ['due_date_after', 'due_after'],
  ['tag', 'tags'],
  ['titel', 'title'],
  ['sort', 'sort_by'],
  ['order', 'sort_order'],
  ['sortby', 'sort_by'],
  ['pgae', 'page'],
  ['Q', 'q'],
  ['colour', null],
  ['', null],
  ['x', null],
  ['__proto__', null],
  ['due_after'.repeat(1000), null],
])('%s was probably meant to be %s', (name, expected) => {
  expect(nearestName(name, KNOWN)).toBe(expected)
})
