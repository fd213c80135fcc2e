import { baseApp } from './base-app.ts'
import type { HttpFunction } from './http-function.ts'

/** Marks every answer of a function, refusals included, as not to be kept by anyone: it holds secrets (RFC 6749 §5.1). */
export function noStore(fn: HttpFunction): HttpFunction {
  const mount: HttpFunction['mount'] = (app, deps) => {
    app.use(fn.path, async function noStore(c, next) {
      await next()
      c.res.headers.set('cache-control', 'no-store')
    })
    fn.mount(app, deps)
  }
  return {
    ...fn,
    mount,
    createApp: (deps) => {
      const app = baseApp(deps)
      mount(app, deps)
      return app
    },
  }
}
