import { logIn } from '../../shared/app/auth/log-in.ts'
import { LoginInput, SignedIn } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/login',
  summary: 'Sign in with mail address and password',
  auth: 'none',
  uses: ['identity', 'events'],
  body: LoginInput,
  output: SignedIn,
  refuses: ['auth.invalid_credentials', 'auth.rate_limited', 'service.unavailable'],
  handle: ({ body, call, deps }) => logIn(deps, call, body),
})
