/** Keys of the state store. `||` parts a key from the prefix of its app, `:` its own parts: an id has neither. */
const ID = /^[A-Za-z0-9_-]{1,255}$/

export const taskKey = (userId: string, taskId: string): string =>
  `${checked(userId)}:task:${checked(taskId)}`

/** Where the ids of all tasks of a user are. */
export const taskIndexKey = (userId: string): string => `${checked(userId)}:task-index`

/** Null: it is the key of something else. */
export function parseTaskKey(key: string): { userId: string; taskId: string } | null {
  const [userId = '', kind, taskId = '', ...rest] = key.split(':')
  return kind === 'task' && rest.length === 0 && ID.test(userId) && ID.test(taskId)
    ? { userId, taskId }
    : null
}

function checked(id: string): string {
  if (!ID.test(id)) throw new RangeError('an id in a key must be 1 to 255 letters, digits, _ and -')
  return id
}
