import { z } from 'zod'
import { ownNextOccurrences } from '../../shared/app/create-next-occurrence.ts'
import { parsePart, readJson } from '../../shared/kit/request.ts'
import { routesFunction } from '../../shared/kit/routes-function.ts'
import { sidecarOnly } from '../../shared/kit/sidecar-only.ts'

const Request = z.strictObject({
  user_id: z.uuid(),
  series_id: z.uuid(),
  mark: z.strictObject({ consumer: z.string().min(1).max(100), event_id: z.uuid() }),
})

/** For recurrence/create-next-occurrence where RECURRENCE_CREATES_VIA is `invoke`: it makes the occurrence here. */
export default routesFunction({
  routes: (app, deps) =>
    void app.post('/internal/next-occurrences', sidecarOnly(deps), async (c) => {
      const { user_id, series_id, mark } = parsePart(Request, (await readJson(c)).value)
      await ownNextOccurrences(deps).create({
        ...{ userId: user_id, seriesId: series_id, trace: c.get('trace') },
        mark: { consumer: mark.consumer, eventId: mark.event_id },
      })
      return c.body(null, 204)
    }),
})
