/** The text of a JSON object: what `head` has, and lists that come in pages, those of one list one after the other. */
export async function* jsonOf(
  head: object,
  pages: AsyncIterable<{ section: string; items: readonly object[] }>,
): AsyncGenerator<string> {
  yield JSON.stringify(head).slice(0, -1)
  let open: string | null = null
  let isFirst = true
  for await (const { section, items } of pages) {
    if (section !== open) {
      yield `${open === null ? '' : ']'},\n${JSON.stringify(section)}:[`
      open = section
      isFirst = true
    }
    if (items.length === 0) continue
    yield `${isFirst ? '' : ','}\n${items.map((item) => JSON.stringify(item)).join(',\n')}`
    isFirst = false
  }
  yield `${open === null ? '' : ']'}}\n`
}
