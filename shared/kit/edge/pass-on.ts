import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Log } from '../../app/ports.ts'

type Body = ReadableStream<Uint8Array<ArrayBuffer>>

/** Of an answer that is read before its client takes any of it: nearly all of what units make. */
const MAX_HELD_BYTES = 4 * 1024 * 1024

/**
 * The body of another unit's answer. It is read whole, so that a slow client does not keep a connection to the sidecar;
 * what is too large is passed on as fast as the client takes it. An answer that breaks off must not pass for a whole one.
 */
export async function passedOn(body: Body, c: Context, log: Log): Promise<Body | Uint8Array<ArrayBuffer>> {
  const reader = body.getReader()
  const held: Uint8Array<ArrayBuffer>[] = []

  function breakOff(controller: ReadableStreamDefaultController, err: unknown): void {
    if (c.req.raw.signal.aborted) return controller.close()
    log.warn({ request_id: c.get('requestId'), err }, 'failed to pass on an answer; its connection is cut')
    // Absent where the app is called without a connection, as in tests.
    const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>
    if (!outgoing) return controller.error(err)
    outgoing.destroy()
    controller.close()
  }

  /** Whether that was all. */
  async function hold(): Promise<boolean> {
    for (let bytes = 0; bytes <= MAX_HELD_BYTES;) {
      const { done, value } = await reader.read()
      if (done) return true
      held.push(value)
      bytes += value.length
    }
    return false
  }

  // What fails here fails again when it is passed on.
  if (await hold().catch(() => false)) return Buffer.concat(held)
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const first = held.shift()
          if (first) return controller.enqueue(first)
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (err) {
          breakOff(controller, err)
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
