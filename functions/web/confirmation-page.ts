import { confirmAddress } from '../../shared/app/auth/confirm-address.ts'
import { authCall } from '../../shared/kit/edge/client-address.ts'
import { linkPage } from '../../shared/kit/edge/link-page.ts'

export default linkPage('/confirm', {
  uses: ['identity', 'events'],
  title: 'Confirm your address',
  question: 'Send your Daybook reminders to this mail address?',
  button: 'Confirm',
  done: 'Your address is confirmed. Reminders are now sent by mail.',
  act: async (deps, token, c) => void (await confirmAddress(deps, authCall(deps, c), token)),
})
