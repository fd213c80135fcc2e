import { PushKeyView } from '../../shared/domain/notifications/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/push-key',
  summary: 'The VAPID public key with which a browser subscribes to push messages',
  auth: 'notifications:read',
  noTool: 'a browser or phone subscribes itself',
  uses: ['pushKeys'],
  output: PushKeyView,
  handle: async ({ deps }) => ({ body: { public_key: (await deps.pushKeys.get()).publicKey } }),
})
