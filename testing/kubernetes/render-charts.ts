import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { lint, template, type Release } from '../../tools/k8s/helm.ts'
import { parseManifests, type Manifests, type Table } from './manifests.ts'

const CHARTS = fileURLToPath(new URL('../../charts/', import.meta.url))
const table = parse(readFileSync(`${CHARTS}daybook/files/functions.yaml`, 'utf8')) as Table

export interface Choice {
  /** `staging` for values-staging.yaml of both charts. */
  values?: string
  granularity?: 'unit' | 'function'
  /** As `--set` takes them. */
  platform?: readonly string[]
  daybook?: readonly string[]
}

/** Both charts with what was chosen, linted and rendered. */
export function renderCharts({ values, granularity, platform = [], daybook = [] }: Choice): {
  yaml: string
  manifests: Manifests
} {
  const release = (name: string, settings: readonly string[]): Release => {
    const file = `${CHARTS}${name}/values-${values}.yaml`
    return {
      name,
      chart: `${CHARTS}${name}`,
      namespace: 'daybook',
      values: values !== undefined && existsSync(file) ? [file] : [],
      settings: [...(granularity ? [`granularity=${granularity}`] : []), ...settings],
    }
  }
  const releases = [release('daybook-platform', platform), release('daybook', daybook)]
  for (const each of releases) lint(each)
  const yaml = releases.map(template).join('\n---\n')
  return { yaml, manifests: { all: parseManifests(yaml), table, apps: table.apps[granularity ?? 'unit'] } }
}
