import { registerUser } from '../../shared/app/register-user.ts'
import { RegistrationInput, SignedIn } from '../../shared/domain/identity.ts'
import { authCall } from '../../shared/kit/client.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

// A retry after a lost answer gets auth.email_taken: the account is there, signing in continues.
export default noStore(
  httpFunction({
    route: 'POST /api/auth/register',
    summary: 'Make an account and sign in',
    auth: 'none',
    body: RegistrationInput,
    status: 201,
    output: SignedIn,
    refuses: ['auth.email_taken', 'auth.rate_limited', 'service.unavailable'],
    handle: ({ body, deps, context }) => registerUser(deps, authCall(deps, context), body),
  }),
)
