import { unsubscribeMail } from '../../shared/app/notifications/unsubscribe-mail.ts'
import { fromWhere } from '../../shared/kit/edge/client-address.ts'
import { linkPage } from '../../shared/kit/edge/link-page.ts'

// Mail programs post here by themselves when somebody presses their button (RFC 8058).
export default linkPage('/unsubscribe', {
  uses: ['identity', 'notifications', 'events'],
  title: 'Unsubscribe from these mails',
  question: 'Stop sending mails of this kind? Their notifications stay in the app.',
  button: 'Unsubscribe',
  done: 'You are unsubscribed from mails of this kind. You can turn them on again in your preferences.',
  act: (deps, token, c) => {
    const call = { now: deps.clock.now(), trace: c.get('trace'), client: fromWhere(deps, c) }
    return unsubscribeMail(deps, call, token)
  },
})
