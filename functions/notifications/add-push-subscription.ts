import { addPushSubscription } from '../../shared/app/notifications/add-push-subscription.ts'
import {
  PushSubscriptionInput,
  PushSubscriptionView,
} from '../../shared/domain/notifications/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Needs no Idempotency-Key: the same endpoint posted again is the same subscription.
export default httpFunction({
  route: 'POST /api/notifications/push-subscriptions',
  summary: 'Register a browser or phone for push notifications',
  auth: 'notifications:write',
  noTool: 'a browser or phone subscribes itself',
  uses: ['notifications', 'identity'],
  body: PushSubscriptionInput,
  status: 201,
  output: PushSubscriptionView,
  refuses: ['subscription.taken', 'subscription.too_many'],
  handle: ({ body, write, deps }) => addPushSubscription(deps, write, body),
})
