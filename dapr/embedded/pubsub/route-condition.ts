import type { Envelope } from './envelope.ts'

const COMPARISON = /^event\.([A-Za-z_][\w.]*)\s*(==|!=)\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')$/

/**
 * A routing rule's condition. Dapr takes any CEL expression; the embedded sidecar takes comparisons of an attribute
 * with a text (`event.type == "task.created"`) joined by `&&` and `||`, and throws on anything else.
 */
export function parseCondition(text: string): (event: Envelope) => boolean {
  if (text.trim() === '') return () => true
  const alternatives = text.split('||').map((alternative) => alternative.split('&&').map(parseComparison))
  return (event) => alternatives.some((terms) => terms.every((term) => term(event)))
}

function parseComparison(text: string): (event: Envelope) => boolean {
  const match = COMPARISON.exec(text.trim())
  if (!match) throw new Error(`the embedded sidecar cannot evaluate the routing rule ${text.trim()}`)
  const path = match[1]!.split('.')
  const wanted = (match[3] ?? match[4] ?? '').replaceAll(/\\(.)/g, '$1')
  return (event) => {
    const value = path.reduce<unknown>((at, name) => (at as Envelope | undefined)?.[name], event)
    return (value === wanted) === (match[2] === '==')
  }
}
