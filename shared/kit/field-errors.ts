import type { z } from 'zod'
import type { FieldError } from '../domain/errors.ts'
import { fieldNames } from '../openapi/field-names.ts'
import { nearestName } from '../domain/nearest-name.ts'

const MAX_ERRORS = 20
/** Of them the summary says so many; and of names that clients make up, so many letters. */
const MAX_SUMMED_UP = 5
const MAX_NAME = 100

/**
 * What is wrong with a request, a field at a time, in words for the person who sent it. With the schema, an unknown field is told the
 * nearest that is known.
 */
export function fieldErrors(error: z.ZodError, schema?: z.ZodType): FieldError[] {
  const errors = error.issues.flatMap(closest).flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(issue.path), message: wording(issue) }]
    const unknown = issue.keys.slice(0, MAX_ERRORS)
    const known = schema ? fieldNames(schema, issue.path) : []
    return unknown.map((key) => ({ path: pathOf([...issue.path, key]), message: notKnown(key, known) }))
  })
  // One fault of a field tends to bring others along that say nothing new.
  const firstOfEach = new Map(errors.toReversed().map((fieldError) => [fieldError.path, fieldError]))
  return [...firstOfEach.values()].toReversed().slice(0, MAX_ERRORS)
}

function notKnown(key: string, known: readonly string[]): string {
  if (known.includes(key)) return 'is not allowed with the other fields that were sent'
  const nearest = nearestName(key, known)
  return nearest === null ? 'is not a known field' : `is not a known field. Did you mean ${nearest}?`
}

export function summaryOf(errors: readonly FieldError[]): string {
  const words = errors
    .slice(0, MAX_SUMMED_UP)
    .map(({ path, message }) => (path === '' ? `the body ${message}` : `${path}: ${message}`))
  const others = errors.length - words.length
  return [...words, ...(others > 0 ? [`and ${others} more`] : [])].join('; ')
}

export const shortened = (name: string): string =>
  name.length > MAX_NAME ? `${name.slice(0, MAX_NAME).toWellFormed()}…` : name

const pathOf = (path: readonly PropertyKey[]): string => path.map((key) => shortened(String(key))).join('.')

/** Of the forms a value may have, the one it comes closest to: its faults name fields, "no form fits" does not. */
function closest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  if (isMissing(issue)) return closest(issue.errors[0]![0]!).map((inner) => ({ ...inner, path: issue.path }))
  const undecided = noneOrSeveral(issue.errors)
  if (undecided) return [{ code: 'custom', path: issue.path, message: undecided, input: issue.input }]
  if (isWorded(issue) && issue.errors.every(isOfOtherForm)) return [{ ...issue, code: 'custom' }]
  const [best] = issue.errors.toSorted(
    (a, b) => Number(isOfOtherForm(a)) - Number(isOfOtherForm(b)) || a.length - b.length,
  )
  return (best ?? []).flatMap(closest).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

/** A schema may have words of its own, for all its forms or for a value that people try. */
const isWorded = ({ message }: z.core.$ZodIssue): boolean => !message.startsWith('Invalid ')

/** Whether the value as a whole is no such thing, rather than one with a fault. */
const isOfOtherForm = (form: readonly z.core.$ZodIssue[]): boolean =>
  form.some(({ code, path }) => path.length === 0 && WRONG_FORM.has(code))

/** What to say of a value that has the fields of none of the forms, or of more than one; null when it is another fault. */
function noneOrSeveral(forms: z.core.$ZodIssue[][]): string | null {
  const missing = forms.map((issues) => issues.filter(isMissing).map(({ path }) => path.join('.')))
  if (forms.every((issues, index) => issues.length > 0 && missing[index]!.length === issues.length)) {
    return `must have ${missing.map((fields) => fields.join(' and ')).join(', or ')}`
  }
  const unknown = forms.map((issues) =>
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])),
  )
  const [first, ...others] = unknown.map((keys) => new Set(keys))
  const ofNone = others.reduce((common, keys) => common.intersection(keys), first ?? new Set<string>())
  const owned = unknown.map((keys) => keys.filter((key) => !ofNone.has(key)))
  if (owned.length === 0 || owned.some((keys) => keys.length === 0)) return null
  return `must not have both ${[...new Set(owned.toReversed().flat())].join(' and ')}`
}

/** Also when the field has several forms. */
const isMissing = (issue: z.core.$ZodIssue): boolean =>
  issue.code === 'invalid_union'
    ? issue.errors.every(
        (form) => form.length > 0 && form.every((one) => one.path.length === 0 && isMissing(one)),
      )
    : issue.code === 'invalid_type' && issue.message.endsWith('received undefined')

const WRONG_FORM: ReadonlySet<string> = new Set(['invalid_type', 'invalid_format', 'invalid_value'])

const FORMATS: Record<string, string> = {
  datetime: 'must be a date-time with its zone, such as 2027-03-15T08:00:00Z or 2027-03-15T09:00:00+01:00',
  date: 'must be a day such as 2027-03-15',
  uuid: 'must be a UUID',
  email: 'must be an e-mail address',
}
const UNITS: Record<string, [one: string, more: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
}

function wording(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return isMissing(issue) ? 'is required' : `must be ${article(issue.expected)}`
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty'
      return `must ${verb(issue.origin)} at least ${amount(issue.minimum, issue.origin)}`
    case 'too_big':
      return `must ${verb(issue.origin)} at most ${amount(issue.maximum, issue.origin)}`
    case 'invalid_format':
      return FORMATS[issue.format] ?? issue.message
    case 'invalid_value':
      if (isWorded(issue)) return issue.message
      return `must be one of ${issue.values.join(', ')}`
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'invalid_union':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return issue.message
  }
}

function amount(limit: number | bigint, origin: string): string {
  const unit = UNITS[origin]?.[Number(limit) === 1 ? 0 : 1]
  return unit ? `${limit} ${unit}` : String(limit)
}

const verb = (origin: string): string => (origin in UNITS ? 'have' : 'be')
const article = (type: string): string =>
  type === 'boolean'
    ? 'true or false'
    : type === 'int'
      ? 'a whole number'
      : /^[aeio]/.test(type)
        ? `an ${type}`
        : `a ${type}`
