import { readDeadLetter } from '../../domain/dead-letter.ts'
import type { Deps } from '../ports.ts'

/** Keeps what came to the dead letters, whatever it is; twice delivered is once kept. */
export async function keepDeadLetter(
  { body, contentId }: { body: Buffer; contentId: string },
  { deadLetters, clock, ids, log }: Pick<Deps, 'deadLetters' | 'clock' | 'ids' | 'log'>,
): Promise<void> {
  const contents = readDeadLetter(body, contentId)
  const isKept = await deadLetters.keep({ id: ids.uuid(), receivedAt: clock.now(), ...contents })
  const { eventId, consumer, type } = contents
  const about = { event_id: eventId, consumer, type }
  if (isKept) log.warn(about, 'stored dead letter; see npm run dlq')
  else log.error(about, 'dropped dead letter: its user has too many open ones')
}
