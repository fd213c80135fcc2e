import { z } from 'zod'
import { fireDue } from '../../shared/app/reminders/fire-reminders.ts'
import { setAlarm } from '../../shared/app/reminders/set-alarm.ts'
import { ReminderId } from '../../shared/domain/reminders/reminder.ts'
import { jobFunction } from '../../shared/kit/job-function.ts'

export default jobFunction({
  job: 'reminder',
  data: z.object({}),
  uses: ['reminders', 'jobs', 'events'],
  handle: async ({ name, madeBy, deps }) => {
    const reminderId = ReminderId.safeParse(name.slice('reminder-'.length)).data
    if (reminderId === undefined) return
    // The scheduler's clock may be ahead of ours, and the reminder may have been put off.
    if ((await fireDue(deps, madeBy, { reminderId })) === 0)
      await setAlarm(deps, reminderId, deps.clock.now())
  },
})
