import { PushKeyView } from '../../shared/domain/push-subscription.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/push-key',
  summary: 'The public key by which a browser subscribes to push messages of this Daybook',
  auth: 'user',
  output: PushKeyView,
  handle: async ({ deps }) => ({ body: { public_key: (await deps.pushKeys.get()).publicKey } }),
})
