import { APP_TOKEN } from '../worlds/compose-daybook.ts'
import { Killed } from '../faults/scheduler.ts'
import type { Message } from '../faults/topics.ts'
import type { ReminderProcess } from './process.ts'
import type { ReminderWorld } from './world.ts'

/** A message reaches a process; what comes back is heard or not. */
export async function deliverTo(
  world: ReminderWorld,
  message: Message,
  process: ReminderProcess,
): Promise<void> {
  world.topics.begin(message)
  const { event, topic } = message
  const after = world.journal.entries.length - 1
  world.tell(
    `sidecar: ${event.type} ${Number(event.sequence)} to ${process.life.name}, delivery ${message.deliveries}`,
  )
  const init = callback(JSON.stringify(event), 'application/cloudevents+json')
  try {
    const answer = await process.request(`/dapr/events/${topic}`, init)
    // Nobody subscribes to this topic here.
    if (answer.status === 404) world.topics.finish(message, 'SUCCESS')
    else {
      const body = (await answer.json()) as { status?: 'SUCCESS' | 'RETRY' }
      if (body.status === 'SUCCESS')
        world.journal.write({ kind: 'consumed', event, after, highest: process.timepiece.highest() })
      await world.scheduler.gate(null, `sidecar: hears ${body.status ?? answer.status} for ${event.type}`)
      if (!world.injects('lostAck')) {
        const isDone = body.status === 'SUCCESS'
        world.topics.finish(message, isDone ? 'SUCCESS' : 'RETRY', !isDone && world.injects('deadLetter'))
      }
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
  message.underWay -= 1
}

/** The sidecar calls a job or ticks; nobody minds what comes of it. */
export async function request(
  world: ReminderWorld,
  process: ReminderProcess,
  path: string,
  init: RequestInit,
): Promise<void> {
  world.tell(`sidecar: ${path} on ${process.life.name}`)
  try {
    await process.request(path, init)
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
}

export const callback = (body: string, type: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'dapr-api-token': APP_TOKEN, 'content-type': type },
})
