import { listPushSubscriptions } from '../../shared/app/list-push-subscriptions.ts'
import { PushSubscriptionList } from '../../shared/domain/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/push-subscriptions',
  summary: 'The browsers and phones that notifications are pushed to',
  auth: 'user',
  output: PushSubscriptionList,
  handle: ({ actor, deps }) => listPushSubscriptions(deps, actor),
})
