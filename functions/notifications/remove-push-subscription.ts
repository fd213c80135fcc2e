import { z } from 'zod'
import { removePushSubscription } from '../../shared/app/notifications/remove-push-subscription.ts'
import { PushSubscriptionId } from '../../shared/domain/notifications/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/notifications/push-subscriptions/:id',
  summary: 'Unregister a browser or phone from push notifications',
  auth: 'notifications:write',
  uses: ['notifications'],
  params: z.object({ id: PushSubscriptionId }),
  status: 204,
  refuses: ['subscription.not_found'],
  handle: ({ params, actor, deps }) => removePushSubscription(deps, actor, params.id),
})
