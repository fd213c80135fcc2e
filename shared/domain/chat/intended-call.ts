/** Which task is meant: by words of its title, or by its number in the list that was shown last (-1: the last one). */
export type TaskReference = { words: string } | { number: number }

export type Arguments = Readonly<Record<string, unknown>>

export type ToolOfTask =
  'complete_task' | 'reopen_task' | 'delete_task' | 'skip_occurrence' | 'update_task' | 'set_reminder'

/** The tool that a sentence asks for. Where a task is named, its `task_id` is still to be found. */
export type IntendedCall =
  | { tool: 'add_task'; arguments: { text: string } }
  | {
      tool: 'list_tasks' | 'search_tasks' | 'list_reminders' | 'list_suggestions' | 'list_tags'
      arguments: Arguments
    }
  | {
      tool:
        'complete_task' | 'reopen_task' | 'delete_task' | 'skip_occurrence' | 'update_task' | 'set_reminder'
      task: TaskReference
      arguments: Arguments
    }
