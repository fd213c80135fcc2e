import { listPushSubscriptions } from '../../shared/app/notifications/list-push-subscriptions.ts'
import { PushSubscriptionList } from '../../shared/domain/notifications/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/push-subscriptions',
  summary: 'Browsers and phones registered for push notifications',
  auth: 'notifications:read',
  uses: ['notifications'],
  output: PushSubscriptionList,
  handle: ({ actor, deps }) => listPushSubscriptions(deps, actor),
})
