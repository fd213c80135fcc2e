import { logIn } from '../../shared/app/log-in.ts'
import { LoginInput, SignedIn } from '../../shared/domain/identity.ts'
import { authCall } from '../../shared/kit/client.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

export default noStore(
  httpFunction({
    route: 'POST /api/auth/login',
    summary: 'Sign in with mail address and password',
    auth: 'none',
    body: LoginInput,
    output: SignedIn,
    refuses: ['auth.invalid_credentials', 'auth.rate_limited', 'service.unavailable'],
    handle: ({ body, deps, context }) => logIn(deps, authCall(deps, context), body),
  }),
)
