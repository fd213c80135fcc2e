import { describe, expect, it } from 'vitest'
import { appOf, unitOf, unitsOf } from './units.ts'

describe('unitOf', () => {
  it.each([
    ['tasks/create-task', 'http', 'tasks-api'],
    ['tasks/purge-expired', 'cron', 'tasks-worker'],
    ['recurrence/create-next-occurrence', 'topic', 'recurrence-worker'],
    ['reminders/fire-reminder', 'job', 'reminders-worker'],
    ['web/gateway', 'routes', 'edge'],
    ['sync/list-changes', 'http', 'edge'],
    ['sync/fan-out', 'topic', 'edge'],
  ] as const)('puts %s (%s) into %s', (name, kind, unit) => {
    expect(unitOf({ name, kind })).toBe(unit)
  })

  it('gives the health functions no unit of their own, since every unit answers them', () => {
    expect(unitOf({ name: 'health/check-liveness', kind: 'http' })).toBeNull()
  })
})

describe('appOf', () => {
  it.each([
    ['unit', 'tasks/create-task', 'tasks-api'],
    ['function', 'tasks/create-task', 'tasks-create-task'],
    ['function', 'sync/list-changes', 'edge'],
    ['function', 'health/check-liveness', null],
  ] as const)('by %s, %s is answered by %s', (granularity, name, app) => {
    expect(appOf({ name, kind: 'http' }, granularity)).toBe(app)
  })
})

describe('unitsOf', () => {
  it('gathers the functions of a unit, in an order that does not depend on theirs', () => {
    const functions = [
      { name: 'tasks/get-task', kind: 'http' },
      { name: 'health/get-health', kind: 'http' },
      { name: 'auth/log-in', kind: 'http' },
      { name: 'tasks/create-task', kind: 'http' },
    ] as const
    const units = [
      { id: 'auth-api', functions: ['auth/log-in'] },
      { id: 'tasks-api', functions: ['tasks/create-task', 'tasks/get-task'] },
    ]
    expect(unitsOf(functions)).toEqual(units)
    expect(unitsOf(functions.toReversed())).toEqual(units)
  })
})
