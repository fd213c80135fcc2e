import { stringify } from 'yaml'
import { addComponentTargets, readTemplates, scopesOf } from './dapr-resources.ts'
import { header } from './generated.ts'
import { DAPR_API } from './platform.ts'
import type { Code } from './units.ts'

interface Resource {
  metadata: { name: string }
  spec: object
  auth?: object
  scopes?: string[]
}

/**
 * What the chart of the platform makes of dapr/templates/: each component with all that may stand for it and the units in
 * its scope, and the policies. The chart turns units into apps and chooses.
 */
export function chartComponents(code: Code): string {
  const templates = [...readTemplates('components'), ...readTemplates('variants')]
  const scopes = scopesOf(templates, code.units)
  const components: Record<string, { scopes: string[]; variants: Record<string, object> }> = {}
  const policies: Record<string, object> = {}
  for (const { path, document, kind, name } of templates) {
    if (path.endsWith('/resiliency.yaml')) addComponentTargets(document, templates)
    const { spec, auth } = document.toJS() as Resource
    const variant = path.replace(/^.*\/|\.yaml$/g, '')
    if (kind === 'Component') {
      components[name] ??= { scopes: scopes(name), variants: {} }
      components[name].variants[variant] = { spec, ...(auth && { auth }) }
    } else policies[name] = { spec, ...(path.endsWith('-gateway.yaml') && GATEWAY_CALLS) }
  }
  return (
    header('dapr/templates/ and the functions') +
    stringify({ components, policies, api: DAPR_API }, { singleQuote: true, lineWidth: 0 })
  )
}

/** What is so for each app that the gateway calls. */
const GATEWAY_CALLS = { ofCalls: { timeout: 'gateway-call', retry: 'gateway-retry' } }
