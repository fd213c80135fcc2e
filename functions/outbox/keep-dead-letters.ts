import { keepDeadLetter } from '../../shared/app/outbox/keep-dead-letter.ts'
import { DEAD_LETTER_TOPIC } from '../../shared/domain/dead-letter.ts'
import { rawTopicFunction } from '../../shared/kit/topic-function.ts'

// Everything that any consumer gave up on comes here, so it is taken as it is: parsed as an event, what cannot be parsed
// would be moved to the dead letters again, for ever. The subscription has its own topic as the dead letter topic (as
// every subscription): while the database is away for longer than the sidecar tries again, a letter goes to the end of
// the queue and comes round once more, instead of being lost or holding up those behind it.
export default rawTopicFunction({
  topic: DEAD_LETTER_TOPIC,
  uses: ['deadLetters'],
  take: keepDeadLetter,
})
