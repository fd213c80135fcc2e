import { inheritedEnvironment } from '../shared/config.ts'
import { gatherAudience } from './reminders/audience.ts'
import { measureCrowd } from './reminders/crowd.ts'
import { measureSweep } from './reminders/pending.ts'
import { startServer } from './reminders/server.ts'
import type { Figures } from './measure.ts'
import { report } from './report.ts'

const WHOLE = {
  people: 1000,
  warm: 1000,
  crowd: 10_000,
  minuteMs: 60_000,
  leadMs: 30_000,
  pending: 1_000_000,
}
/** Shows within a minute whether all of it works; says nothing about speed. */
const TRIAL = { people: 50, warm: 100, crowd: 300, minuteMs: 6000, pending: 20_000 }
const MIN_LEAD_MS = 3000
/** How fast reminders can be set, until that is measured. */
const GUESSED_PER_SECOND = 200

/**
 * How late reminders are, with a thousand people watching their streams: a few at a time, ten thousand in one minute, ten
 * thousand at once; and what a sweep costs among a million that are not due. `BENCH_TRIAL=true` does a little of each.
 */
export async function run(): Promise<void> {
  const isTrial = inheritedEnvironment()['BENCH_TRIAL'] === 'true'
  const plan = isTrial ? TRIAL : WHOLE
  const figures: Figures[] = []
  const notes: string[] = []
  let setPerSecond = GUESSED_PER_SECOND
  const startedAt = performance.now()
  const say = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
  const note = (measured: { figures: Figures[]; notes: string[] }) => {
    figures.push(...measured.figures)
    notes.push(...measured.notes)
  }

  const server = await startServer()
  try {
    const people = await server.people(plan.people)
    const before = await server.memoryMiB()
    const audience = await gatherAudience(server, people)
    const after = await server.memoryMiB()
    say(`${people.length} streams are open; memory of the server before ${before} MiB, after ${after} MiB`)
    notes.push(
      `memory of the server: ${before} MiB before and ${after} MiB after ${people.length} streams were opened`,
    )
    const stage = { server, people, audience, say }
    const { warm, crowd, minuteMs } = plan
    const among = async (name: string, count: number, overMs: number) => {
      const leadMs = MIN_LEAD_MS + ((count * 1.5) / setPerSecond) * 1000
      const measured = await measureCrowd(stage, { name, count, leadMs, overMs })
      setPerSecond = measured.setPerSecond
      note(measured)
    }
    const minute = `in ${minuteMs / 1000} s`
    await among(`${warm} ${minute}`, warm, minuteMs)
    await among(`${people.length} at one instant, one each`, people.length, 0)
    await among(`${crowd} ${minute}`, crowd, minuteMs)
    await among(`${crowd} at one instant`, crowd, 0)
    notes.push(
      `memory of the server at the end: ${await server.memoryMiB()} MiB; streams opened again: ${audience.returns}`,
    )
    audience.close()
  } finally {
    await server.stop()
  }
  note(await measureSweep(plan.pending, say))
  report(
    'reminders',
    {
      versions: { node: process.versions.node, postgresql: '18.4', daybook: '0.1.0' },
      dataset: `${plan.people} people with a mail address, each with one open stream (connections); latencies count from the time a reminder is due, those "from the app to the stream" from the time it was written.`,
      figures,
      notes: [
        ...notes,
        '"in the app" ends with the commit, "on the stream" with the arrival at a client, "by mail" with the relay\'s word',
        '"failed" counts what never came or came twice',
      ],
    },
    isTrial,
  )
}
