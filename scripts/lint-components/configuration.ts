import { about, record, type Finding, type Resource } from './finding.ts'

/** What Dapr reads of a Configuration without a word when it is wrong. */
export function lintConfiguration(resource: Resource): Finding[] {
  const rate = record(record(resource.content['spec'])['tracing'])['samplingRate']
  if (typeof rate === 'string' && Number(rate) > 0 && Number(rate) <= 1) return []
  return [
    about(
      resource,
      'has no tracing.samplingRate that Dapr can read: it must be a text, from 0 to 1',
      "write samplingRate: '0.1'",
    ),
  ]
}
