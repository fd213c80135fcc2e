import { followUsers } from '../../shared/app/tasks/follow-zones.ts'
import { AccountUpdated, PreferencesUpdated } from '../../shared/domain/events.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

// Where a user is now is in the rows, as are the tasks that are still where the user was.
export default topicFunction({
  on: [AccountUpdated, PreferencesUpdated],
  uses: ['zones', 'tasks', 'events'],
  handle: ({ deps, madeBy }) => followUsers(deps, madeBy),
})
