// Generated from the functions by `npm run render`; not to be edited.
type PreferencesRecord = {
  channels: {
  reminder: ("in_app" | "email" | "web_push" | "mobile_push" | "webhook")[]
  quiet_digest: ("in_app" | "email" | "web_push" | "mobile_push" | "webhook")[]
  daily_digest: ("in_app" | "email" | "web_push" | "mobile_push" | "webhook")[]
  notice: ("in_app" | "email" | "web_push" | "mobile_push" | "webhook")[]
}
  quiet_hours: {
  start: string
  end: string
} | null
  daily_digest: {
  at: string
} | null
  default_reminder_minutes: number | null
  time_zone: string | null
  webhook_confirmed_at: string | null
  version: number
  webhook_host: string | null
  webhook_id: string | null
}

type Reminder = {
  id: string
  task_id: string
  origin: "user" | "task" | "default"
  remind_at: string | null
  offset_minutes: number | null
  channels: ("in_app" | "email" | "web_push" | "mobile_push" | "webhook")[] | null
  status: "scheduled" | "triggered" | "delivered" | "acknowledged" | "snoozed" | "cancelled" | "failed"
  next_fire_at: string | null
  snoozed_until: string | null
  acknowledged_at: string | null
  version: number
  created_at: string
  updated_at: string
}

type Series = {
  id: string
  user_id: string
  recurrence_rule: string
  start_at: string
  time_zone: string
  month_end: "clamp" | "skip"
  repeat_from: "due" | "completion"
  exdates: (string)[]
  rdates: (string)[]
  is_all_day: boolean
  title: string
  description: string | null
  priority: "low" | "medium" | "high"
  tags: (string)[]
  parent_id: string | null
  is_floating: boolean
  state: "active" | "ended"
  live_task_id: string | null
  generated: number
  version: number
  created_at: string | null
  updated_at: string
}

export type Snapshot = {
  cursor: string
  sequence: number
  preferences: PreferencesRecord
  tasks: (Task)[]
  series: (Series)[]
  reminders: (Reminder)[]
  tags: ({
  tag: string
  active: number
  completed: number
})[]
}

export type SyncResult = {
  results: ({
  id: string
  status: "applied" | "conflict" | "refused"
  replayed?: true
  task?: Task
  moved?: ({
  task_id: string
  position: number
  version: number
})[]
  conflicts?: ({
  field: string
  base: unknown
  theirs: unknown
  yours: unknown
  kept: "yours"
})[]
  problem?: {
  code: string
  detail: string
  errors: ({
  path: string
  message: string
})[]
}
})[]
  temp_ids: Record<string, string>
  cursor: string
  sequence: number
}

export type Task = {
  id: string
  user_id: string
  title: string
  description: string | null
  priority: "low" | "medium" | "high"
  priority_color: "red" | "yellow" | "gray"
  tags: (string)[]
  is_completed: boolean
  completed_at: string | null
  due_date: string | null
  due_at: string | null
  time_zone: string
  remind_at: string | null
  is_recurring: boolean
  recurrence_rule: string | null
  series_id: string | null
  occurrence_at: string | null
  repeat_from: "due" | "completion"
  month_end: "clamp" | "skip" | null
  exdates: (string)[]
  rdates: (string)[]
  parent_id: string | null
  position: number
  version: number
  created_at: string
  updated_at: string
  deleted_at: string | null
}
