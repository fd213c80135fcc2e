import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { z } from 'zod'
import { DomainError } from '../../shared/domain/errors.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const SCRIPT = 'text/javascript; charset=utf-8'

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Daybook API</title>
    <link rel="icon" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> says the same.</noscript>
    <main id="reference"></main>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/show.js"></script>
  </body>
</html>
`
// A file of its own, because the page allows no inline script. Without validatorUrl: null the UI asks a foreign server.
const SHOW = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#reference', deepLinking: true, validatorUrl: null })\n`

/** Files of the swagger-ui-dist package that the page asks for. */
const PACKAGED: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': SCRIPT,
  'favicon-32x32.png': 'image/png',
}

// Swagger UI sets style attributes and draws its icons from data: URLs; scripts and requests stay on our own origin.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export default httpFunction({
  route: 'GET /docs/:file?',
  summary: 'The API reference as a page',
  auth: 'none',
  uses: [],
  params: z.object({ file: z.string().optional() }),
  handle: async ({ params: { file } }) => {
    if (file === undefined) return answer(PAGE, 'text/html; charset=utf-8')
    if (file === 'show.js') return answer(SHOW, SCRIPT)
    const type = Object.hasOwn(PACKAGED, file) ? PACKAGED[file] : undefined
    if (type === undefined) throw new DomainError('request.not_found', 'The reference has no such file.')
    const path = createRequire(import.meta.url).resolve(`swagger-ui-dist/${file}`)
    return answer(await readFile(path), type)
  },
})

const answer = (body: string | Uint8Array<ArrayBuffer>, type: string): Response =>
  new Response(body, {
    headers: {
      'content-type': type,
      'content-length': String(Buffer.byteLength(body)),
      'content-security-policy': POLICY,
      'cache-control': 'public, max-age=300',
    },
  })
