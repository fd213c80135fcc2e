import type { Message, NewMessage } from './broker.ts'
import type { SidecarContext } from '../context.ts'
import { saveProgress, type GroupTopic, type ParkedMessage } from './progress.ts'

/** A message that was read. It is settled once nothing more has to happen to it here: delivered, given up or parked. */
export interface Entry {
  readonly message: Message
  isSettled: boolean
}

/** What happened to messages, written to PostgreSQL in the order of offsets with as few statements as possible. */
export interface ProgressLog {
  add(message: Message): Entry
  done(entry: Entry): void
  park(entry: Entry, parked: Omit<ParkedMessage, 'offset'>): void
  /** The next try of a message that is parked already. */
  postpone(message: Message, parked: Omit<ParkedMessage, 'offset'>): void
  unpark(message: Message): void
  deadLetter(message: NewMessage): void
  /** Messages that were read and are not behind the saved place. */
  size(): number
  isSaved(): boolean
  /** Resolves when all that happened until now is in the database, or the log is closed. */
  save(): Promise<void>
  /** Tries once more to save, then never again. */
  close(): Promise<void>
  /** Forgets what is not saved: another sidecar delivers now. */
  discard(): void
}

export interface ProgressLogEvents {
  onSaved(): void
  onLost(): void
}

// Moving on is one statement for many messages: when all that was read is settled, or this many are.
const SAVE_AFTER = 200
const RETRY_MS = 1000

export function createProgressLog(
  context: SidecarContext,
  group: GroupTopic,
  options: { startAt: number; deadLetterTopicId: number | null; events: ProgressLogEvents },
): ProgressLog {
  const { events, deadLetterTopicId } = options
  const retryTimer = new AbortController()
  let window: Entry[] = []
  let unsettled = 0
  let unsaved = 0
  let parked: ParkedMessage[] = []
  let finished: number[] = []
  let deadLetters: NewMessage[] = []
  let position = options.startAt
  let savedOffset = options.startAt
  let saving: Promise<void> | null = null
  let saveAgain = false
  let state: 'open' | 'closing' | 'closed' = 'open'

  const isClosed = () => state === 'closed'
  const hasSlowWork = () => parked.length + finished.length + deadLetters.length > 0
  const nextOffset = () => window.find(({ isSettled }) => !isSettled)?.message.offset ?? position
  const isDirty = () => !isClosed() && (hasSlowWork() || nextOffset() > savedOffset)

  function settle(entry: Entry): void {
    entry.isSettled = true
    unsettled -= 1
    unsaved += 1
    changed()
  }

  function changed(): void {
    if (hasSlowWork() || unsettled === 0 || unsaved >= SAVE_AFTER) void log.save()
  }

  async function saveAll(): Promise<void> {
    // Yields first, so that what settles together is written together and `saving` is set before it is cleared.
    await Promise.resolve()
    while (saveAgain && isDirty()) {
      saveAgain = false
      await write()
    }
    saving = null
    events.onSaved()
  }

  async function write(): Promise<void> {
    const target = nextOffset()
    const progress = { nextOffset: target, parked, finished, deadLetters, deadLetterTopicId }
    parked = []
    finished = []
    deadLetters = []
    unsaved = 0
    while (!isClosed()) {
      try {
        if (await saveProgress(context.sql, group, progress, context.clock.now())) {
          savedOffset = target
          window = window.filter(({ message }) => message.offset >= target)
          if (progress.deadLetters.length > 0) context.broker.announce(deadLetterTopicId)
        } else {
          log.discard()
          events.onLost()
        }
        return
      } catch (error) {
        context.logger.error({ topic_id: group.topicId, err: error }, 'failed to save delivery progress')
        if (state === 'closing') log.discard()
        await context.delay(RETRY_MS, retryTimer.signal).catch(() => {})
      }
    }
  }

  const log: ProgressLog = {
    add(message) {
      const entry = { message, isSettled: false }
      window.push(entry)
      unsettled += 1
      position = message.offset + 1
      return entry
    },
    done: settle,
    park(entry, waiting) {
      parked.push({ offset: entry.message.offset, ...waiting })
      settle(entry)
    },
    postpone(message, waiting) {
      parked.push({ offset: message.offset, ...waiting })
      changed()
    },
    unpark(message) {
      finished.push(message.offset)
      changed()
    },
    deadLetter(message) {
      deadLetters.push(message)
    },
    size: () => window.length,
    isSaved: () => saving === null && !isDirty(),
    save() {
      saveAgain = true
      return (saving ??= saveAll())
    },
    async close() {
      if (state === 'open') state = 'closing'
      retryTimer.abort()
      await log.save()
      state = 'closed'
    },
    discard() {
      state = 'closed'
      retryTimer.abort()
    },
  }
  return log
}
