import type { TaskReference } from './intended-call.ts'

const POSITIONS = ['first', 'second', 'third', 'fourth', 'fifth']

export function referenceTo(text: string): TaskReference {
  const quoted = /^["“«„](.+)["”»“]$/u.exec(text.trim())?.[1]
  if (quoted !== undefined) return { words: quoted }
  const plain = text
    .trim()
    .replace(/^(?:the|my|that|this)\s+/iu, '')
    .replace(/^(?:task|to-?do|item)\s+(?=\S)/iu, '')
    .replace(/(?<=\S)\s+(?:task|to-?do|item)$/iu, '')
    .trim()
  const number = /^(?:number\s+|#|no\.?\s*)?(\d{1,3})$/iu.exec(plain)?.[1]
  if (number !== undefined) return { number: Number(number) }
  const position = /^(first|second|third|fourth|fifth|last)(?:\s+(?:one|task))?$/iu
    .exec(plain)?.[1]
    ?.toLowerCase()
  if (position !== undefined) return { number: position === 'last' ? -1 : POSITIONS.indexOf(position) + 1 }
  return { words: unquoted(plain) }
}

export const unquoted = (text: string): string => /^["“«„](.+)["”»“]$/u.exec(text.trim())?.[1] ?? text.trim()
