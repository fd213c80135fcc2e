import { z } from 'zod'
import { removePushSubscription } from '../../shared/app/remove-push-subscription.ts'
import { PushSubscriptionId } from '../../shared/domain/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/notifications/push-subscriptions/:id',
  summary: 'Stop pushing notifications to a browser or a phone',
  auth: 'user',
  params: z.object({ id: PushSubscriptionId }),
  status: 204,
  refuses: ['subscription.not_found'],
  handle: ({ params, actor, deps }) => removePushSubscription(deps, actor, params.id),
})
