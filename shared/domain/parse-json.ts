/** The value of a JSON text; undefined, which no JSON text stands for, when it is none. An error would quote the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
