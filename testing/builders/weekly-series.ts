import type { Client, TaskService } from '../worlds/task-service.ts'

/** Mondays at 9:00 in Berlin, from 2 March 2026; the clocks change on 29 March. */
export const WEEKLY = {
  title: 'Water plants',
  due_at: '2026-03-02T09:00:00+01:00',
  time_zone: 'Europe/Berlin',
  recurrence_rule: 'weekly',
}

export const weeklySeries = (service: TaskService) => ({
  edit: (user: Client, id: string, scope: string, body: object) =>
    user.does('PATCH', `/api/tasks/${id}?scope=${scope}`, body),
  begin: async (user: Client, input: object = {}) => {
    service.at('2026-03-01T08:00:00Z')
    return user.create({ ...WEEKLY, ...input })
  },
})
