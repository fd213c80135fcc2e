import { registerUser } from '../../shared/app/auth/register-user.ts'
import { RegistrationInput, SignedIn } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// A retry after a lost answer gets auth.email_taken: the account is there, signing in continues.
export default httpFunction({
  route: 'POST /api/auth/register',
  summary: 'Create an account and sign in',
  auth: 'none',
  uses: ['identity', 'events'],
  body: RegistrationInput,
  status: 201,
  output: SignedIn,
  refuses: [
    'auth.email_taken',
    'auth.registration_closed',
    'auth.invitation_required',
    'auth.rate_limited',
    'service.unavailable',
  ],
  handle: ({ body, call, deps }) => registerUser(deps, call, body),
})
