import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

interface Page {
  title: string
  content: ReturnType<typeof html>
  status: number
  leadsTo?: string
}

// Forms go to our own origin, and nothing else is there to load.
const policy = (leadsTo = ''): string =>
  `default-src 'none'; style-src 'unsafe-inline'; form-action 'self' ${leadsTo}; base-uri 'none'; frame-ancestors 'none'`.replace(
    "'self' ;",
    "'self';",
  )

/** A page for people, without a script. `leadsTo`: where its form may lead in the end, beside here. */
export function page(c: Context, { title, content, status, leadsTo }: Page): Response | Promise<Response> {
  c.header('content-security-policy', policy(leadsTo))
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <meta name="robots" content="noindex" />
          <title>${title}</title>
        </head>
        <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
          <main style="max-width:36em;margin:0 auto">
            <h1 style="font-size:20px">${title}</h1>
            ${content}
          </main>
        </body>
      </html>`,
    status as ContentfulStatusCode,
  )
}
