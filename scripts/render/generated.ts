/** The first line of a generated file; `from` says what to edit instead. */
export const header = (from: string, mark = '#'): string =>
  `${mark} Generated from ${from} by \`npm run render\`; not to be edited.\n`

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
