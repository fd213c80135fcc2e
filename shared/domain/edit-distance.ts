/**
 * Letters to add, drop, change or swap with their neighbour to get from one word to the other ("optimal string
 * alignment"), or Infinity when there are more than `most`. Beyond that distance from the diagonal nothing is computed.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current: number[] = Array.from({ length: b.length + 1 }, () => Infinity)
    if (row <= most) current[0] = row
    const end = Math.min(b.length, row + most)
    for (let column = Math.max(1, row - most); column <= end; column += 1) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (isSame ? 0 : 1),
        isSwap ? before[column - 2]! + 1 : Infinity,
      )
    }
    if (Math.min(...current) > most) return Infinity
    before = previous
    previous = current
  }
  return previous[b.length]! <= most ? previous[b.length]! : Infinity
}
