import { discardBody } from '../app-channel.ts'
import { parseSchedule, type Schedule } from './cron-schedule.ts'
import type { SidecarContext } from '../context.ts'
import { drained } from '../pubsub/drain.ts'
import { messageOf } from '../errors.ts'
import { metadataValue, type Component } from '../resources.ts'

export interface CronBindings {
  start(): Promise<void>
  idle(): Promise<void>
  stop(): Promise<void>
}

/**
 * Calls the app by the clock, as its `bindings.cron` components say. Every sidecar with the component in scope fires,
 * nothing is caught up, and what the app answers has no effect (components-contrib bindings/cron).
 */
export function createCronBindings(context: SidecarContext): CronBindings {
  const stopped = new AbortController()
  const calls = new Set<Promise<void>>()
  const loops: Promise<void>[] = []

  async function runAlways(binding: CronBinding): Promise<void> {
    let due = binding.nextAfter(context.clock.now())
    while (due !== null) {
      const wait = due.getTime() - context.clock.now().getTime()
      if (wait > 0) await context.delay(Math.min(wait, MAX_TIMER_MS), stopped.signal).catch(() => {})
      if (stopped.signal.aborted) return
      if (context.clock.now() < due) continue
      if (!context.isPaused()) fire(binding)
      due = binding.nextAfter(context.clock.now())
    }
  }

  function fire({ name, route }: CronBinding): void {
    const call = context.app
      .call({ method: 'POST', path: route, headers: { 'content-type': 'application/json' }, body: '' })
      .then(discardBody)
      .catch((error: unknown) =>
        context.logger.warn({ binding: name, reason: messageOf(error) }, 'failed to call cron binding'),
      )
      .finally(() => calls.delete(call))
    calls.add(call)
  }

  return {
    async start() {
      for (const component of context.components) {
        const binding = component.type === 'bindings.cron' ? readBinding(context, component) : null
        if (binding && (binding.isInput || (await isWanted(context, binding)))) loops.push(runAlways(binding))
      }
    },
    async idle() {
      await Promise.all(calls)
    },
    async stop() {
      stopped.abort()
      await drained(context, Promise.all([...loops, ...calls]))
    },
  }
}

const MAX_TIMER_MS = 24 * 3_600_000

interface CronBinding {
  readonly name: string
  readonly route: string
  readonly isInput: boolean
  readonly nextAfter: Schedule
}

function readBinding({ env }: SidecarContext, component: Component): CronBinding {
  const schedule = metadataValue(component, 'schedule', env) ?? ''
  return {
    name: component.name,
    route: metadataValue(component, 'route', env) || component.name,
    isInput: metadataValue(component, 'direction', env) === 'input',
    nextAfter: parseSchedule(schedule, { fields: 'five-or-six' }),
  }
}

// Without `direction: input` Dapr asks the app whether it wants the binding.
async function isWanted(context: SidecarContext, { name, route }: CronBinding): Promise<boolean> {
  const response = await context.app.call({ method: 'OPTIONS', path: route })
  await discardBody(response)
  const wanted = response.ok || response.status === 405
  if (!wanted) context.logger.info({ binding: name }, 'skipped binding: app has not subscribed to it')
  return wanted
}
