import type { DeadLetter, DeadLetters } from '../../shared/app/outbox/ports.ts'
import type { Command } from './command.ts'
import { table } from './table.ts'

const PAGE = 200

export interface Desk {
  letters: DeadLetters
  now: Date
  say: (line: string) => void
  complain: (line: string) => void
}

/** Does what was asked for; resolves to the exit status. */
export async function carryOut(command: Exclude<Command, { name: 'help' }>, desk: Desk): Promise<number> {
  const { letters, now, say, complain } = desk
  switch (command.name) {
    case 'list': {
      const found = await readAll(letters, command.state)
      const which = command.state === 'all' ? '' : ` ${command.state}`
      if (found.length === 0) say(`There are no${which} dead letters.`)
      else for (const line of table(found, now)) say(line)
      return 0
    }
    case 'show': {
      const letter = await letters.get(command.id)
      if (!letter) complain(unknown(command.id))
      else say(JSON.stringify(letter, null, 2))
      return letter ? 0 : 1
    }
    case 'replay': {
      const isReplayed = await replay(command.id, desk)
      if (isReplayed) say(whatHappensNow)
      return isReplayed ? 0 : 1
    }
    case 'replay_all':
      return await replayAll(desk)
    case 'discard': {
      const outcome = await letters.discard(command.id, now)
      if (outcome === 'discarded') say(`${command.id} is discarded.`)
      else complain(outcome === 'unknown' ? unknown(command.id) : await notOpen(letters, command.id))
      return outcome === 'discarded' ? 0 : 1
    }
  }
}

const whatHappensNow =
  'A running Daybook publishes it within 10 s; a consumer that had done its part then does nothing again.'
const unknown = (id: string) => `There is no dead letter ${id}; see npm run dlq -- list --state all.`

async function notOpen(letters: DeadLetters, id: string): Promise<string> {
  const letter = await letters.get(id)
  return `${id} is ${letter?.state ?? 'gone'} already; it opens again if a consumer gives up once more.`
}

async function replay(id: string, { letters, now, say, complain }: Desk): Promise<boolean> {
  const outcome = await letters.replay(id, now)
  switch (outcome) {
    case 'replayed':
      say(`${id} is replayed.`)
      return true
    case 'unknown':
      complain(unknown(id))
      return false
    case 'not_open':
      complain(await notOpen(letters, id))
      return false
    case 'not_ours':
      complain(
        `${id} cannot be replayed: its event was never published by this Daybook. Look at it, then discard it.`,
      )
      return false
  }
}

/** Those that are open now; what a consumer gives up on meanwhile waits for the next time. */
async function replayAll(desk: Desk): Promise<number> {
  const open = await readAll(desk.letters, 'open')
  if (open.length === 0) desk.say('There are no open dead letters.')
  const counts = { replayed: 0, left: 0 }
  // Letters of one event are replayed together, so one of each event stands for all.
  const first = new Map(open.toReversed().map((letter) => [letter.eventId, letter]))
  for (const letter of open.filter(({ id, eventId }) => first.get(eventId)?.id === id)) {
    if (await replay(letter.id, desk)) counts.replayed += 1
    else counts.left += 1
  }
  if (counts.replayed > 0) desk.say(`${counts.replayed} replayed, ${counts.left} not. ${whatHappensNow}`)
  return counts.left === 0 ? 0 : 1
}

async function readAll(letters: DeadLetters, state: DeadLetter['state'] | 'all'): Promise<DeadLetter[]> {
  const found: DeadLetter[] = []
  for (;;) {
    const page = await letters.list({ state, limit: PAGE, after: found.at(-1)?.id ?? null })
    found.push(...page)
    if (page.length < PAGE) return found
  }
}
