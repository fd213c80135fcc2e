import { FLOATING, type Task } from './task.ts'

interface NamesZone {
  time_zone?: string | undefined
}

export const inZoneOf = <Request extends NamesZone>(request: Request, userZone: string): Request =>
  request.time_zone === FLOATING ? { ...request, time_zone: userZone } : request

/** Whether a task moves with its user's zone after a request. */
export const floatsAfter = (
  { isFloating }: Pick<Task, 'isFloating'>,
  { time_zone: zone }: NamesZone,
): boolean => (zone === undefined ? isFloating : zone === FLOATING)
