export interface Finding {
  file: string
  /** Kind and name: "Component pubsub". */
  resource: string
  problem: string
  /** What to do. */
  remedy: string
}

/** One YAML document, read but not trusted. */
export interface Resource {
  /** Below dapr/, such as `components/pubsub.yaml`. */
  file: string
  /** 0 for the first document of its file. */
  position: number
  kind: string
  name: string
  content: Record<string, unknown>
}

export const about = ({ file, kind, name }: Resource, problem: string, remedy: string): Finding => ({
  file,
  resource: name === '' ? kind : `${kind} ${name}`,
  problem,
  remedy,
})

export function record(value: unknown): Record<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isRecord ? (value as Record<string, unknown>) : {}
}

/** A scalar as it stands in the file; anything else in JSON, and nothing as an empty text. */
export function text(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []

export const list = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.map(record) : []
