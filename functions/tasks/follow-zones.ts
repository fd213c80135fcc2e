import { followZones } from '../../shared/app/tasks/follow-zones.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// At start-up, because a process may come with a newer zone database; often, for what recurrence/follow-user missed.
export default cronFunction({
  schedule: '@every 1h',
  uses: ['zones', 'tasks', 'events'],
  everyMs: 60_000,
  handle: followZones,
})
