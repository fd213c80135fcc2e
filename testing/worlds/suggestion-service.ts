import type { Suggestions } from '../../shared/domain/suggestions/suggestion.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { taskService, type Client, type TaskService } from './task-service.ts'

interface SuggestionService extends TaskService {
  suggestions(user: Client, query?: string): Promise<Suggestions>
  /** Three that are completed at 18:00, and one like them that is open, at eight in the morning. */
  withHabit(user: Client): Promise<TaskView>
}

export async function suggestionService(others: string[] = []): Promise<SuggestionService> {
  const service = await taskService(['suggestions/list-suggestions', ...others])
  return {
    ...service,
    suggestions: async (user, query = '') =>
      (await user.send('GET', `/api/suggestions${query}`)).body as Suggestions,
    async withHabit(user) {
      for (const day of ['2026-03-03', '2026-03-04', '2026-03-05']) {
        service.at(`${day}T18:00:00Z`)
        const { id } = await user.create({ title: 'Pay rent', tags: ['home'] })
        await user.does('POST', `/api/tasks/${id}/complete`)
      }
      service.at('2026-03-06T08:00:00Z')
      return await user.create({ title: 'Rent of May', due_date: '2026-03-06' })
    },
  }
}
