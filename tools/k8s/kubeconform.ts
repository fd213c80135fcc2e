import { spawnSync } from 'node:child_process'
import { program } from './programs.ts'
import { SCHEMA_LOCATION } from './schemas.ts'

/** What of the documents is not as the schemas of their kinds want it, a line for each: kind, name, field. */
export function nonConforming(yaml: string, { skip = [] }: { skip?: readonly string[] } = {}): string[] {
  const { status, stdout, stderr, error } = spawnSync(
    program('kubeconform'),
    [
      '-strict',
      '-output',
      'json',
      '-schema-location',
      SCHEMA_LOCATION,
      ...skip.flatMap((kind) => ['-skip', kind]),
    ],
    { input: yaml, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  if (error) throw error
  const { resources } = JSON.parse(stdout || '{}') as {
    resources?: {
      kind: string
      name: string
      msg: string
      validationErrors?: { path: string; msg: string }[]
    }[]
  }
  const faults = (resources ?? []).flatMap(({ kind, name, msg, validationErrors }) =>
    validationErrors && validationErrors.length > 0
      ? validationErrors.map((each) => `${kind} ${name}: ${each.path}: ${each.msg}`)
      : [`${kind} ${name}: ${msg}`],
  )
  if (status !== 0 && faults.length === 0) throw new Error(`kubeconform: ${stderr}`)
  return faults
}
