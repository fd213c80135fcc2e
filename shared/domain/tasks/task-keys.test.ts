import { describe, expect, it } from 'vitest'
import { parseTaskKey, taskIndexKey, taskKey } from './task-keys.ts'

describe('keys of tasks', () => {
  it('name the user first', () => {
    expect(taskKey('user-1', 'task_2')).toBe('user-1:task:task_2')
    expect(taskIndexKey('user-1')).toBe('user-1:task-index')
    expect(parseTaskKey('user-1:task:task_2')).toEqual({ userId: 'user-1', taskId: 'task_2' })
  })

  it.each([
    '',
    ' ',
    'user1:task:*',
    'a:b',
    'a||b',
    '../x',
    'a/b',
    'a*',
    'ä',
    'a\n',
    'a\u0000',
    'x'.repeat(256),
  ])('are not made of the id %j', (id) => {
    expect(() => taskKey(id, 'task')).toThrow(RangeError)
    expect(() => taskKey('user', id)).toThrow(RangeError)
    expect(() => taskIndexKey(id)).toThrow(RangeError)
  })

  it.each(['user:task-index', 'user:task:', ':task:a', 'user:task:a:b', 'user:note:a', 'user:task:a b', ''])(
    'are not read from %j',
    (key) => {
      expect(parseTaskKey(key)).toBeNull()
    },
  )
})
