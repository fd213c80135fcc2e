/** Made of nothing that a user wrote: what they are about the model reads by tools, as data. */
export const PROMPTS = [
  {
    name: 'daily_plan',
    title: 'Plan the day',
    description: 'What is late and what is due today, as a plan',
    text: `Plan my day. Read with list_tasks what is overdue (due: overdue), what is due today (due: today, status: active) and, where that is little, what is due this week.
Propose an order with times, high priority first, and say what could wait. Change nothing before I agree; then move tasks with update_task and add reminders with set_reminder.`,
  },
  {
    name: 'weekly_review',
    title: 'Review the week',
    description: 'What was done, what is late, what comes next week',
    text: `Review my week. Read with list_tasks what I completed in the last seven days (status: completed, completed_after), what is overdue (due: overdue) and what is due in the next seven days (status: active, due_after, due_before).
Sum up what got done, ask about each late task whether to move, complete or delete it, and name days of next week with too much on them. Change nothing before I agree.`,
  },
] as const
