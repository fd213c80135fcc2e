import { resetPassword } from '../../shared/app/auth/account/reset-password.ts'
import { PasswordReset } from '../../shared/domain/auth/account.ts'
import { authCall } from '../../shared/kit/edge/client-address.ts'
import { linkPage } from '../../shared/kit/edge/link-page.ts'
import { parsePart } from '../../shared/kit/request.ts'

export default linkPage('/reset-password', {
  uses: ['identity', 'notifications', 'events'],
  title: 'Set a new password',
  question: 'Setting a new password signs out every device.',
  password: 'New password',
  button: 'Set password',
  done: 'Your password is set. Sign in with it.',
  act: async (deps, token, c, password) =>
    void (await resetPassword(
      deps,
      authCall(deps, c),
      parsePart(PasswordReset, { token, new_password: password }),
    )),
})
