import { confirmAddress } from '../../shared/app/auth/confirm-address.ts'
import { ConfirmationInput } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/confirm',
  summary: 'Confirm a mail address with the token from the mail; reminders are then sent to it',
  auth: 'none',
  uses: ['identity', 'events'],
  body: ConfirmationInput,
  status: 204,
  refuses: ['auth.invalid_link', 'service.unavailable'],
  handle: ({ body, call, deps }) => confirmAddress(deps, call, body.token),
})
