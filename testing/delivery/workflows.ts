import { globSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { ROOT } from '../worlds/source-files.ts'

export interface Step {
  name?: string
  uses?: string
  run?: string
  env?: Record<string, string>
}

interface Job {
  permissions?: Record<string, string>
  'timeout-minutes'?: number
  uses?: string
  steps?: Step[]
}

export interface Workflow {
  path: string
  permissions?: Record<string, string>
  concurrency?: unknown
  jobs: Record<string, Job>
}

export const workflows: Workflow[] = globSync('.github/workflows/*.yml', { cwd: ROOT }).map((path) => ({
  ...(parse(readFileSync(ROOT + path, 'utf8')) as Omit<Workflow, 'path'>),
  path,
}))

export const stepsOf = ({ jobs }: Workflow): Step[] => Object.values(jobs).flatMap(({ steps = [] }) => steps)
