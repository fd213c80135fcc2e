export type RowOf<Item, Columns extends Record<keyof Item, string>> = {
  [Field in keyof Item as Columns[Field]]: Item[Field]
}

/** Reads and writes rows of a table, given the column of each field. */
export const columnsOf =
  <Item extends object>() =>
  <const Columns extends Record<keyof Item, string>>(columns: Columns) => {
    type Row = RowOf<Item, Columns>
    const pairs = Object.entries(columns) as [keyof Item, keyof Row][]
    return {
      fromRow: (row: Row) => Object.fromEntries(pairs.map(([field, column]) => [field, row[column]])) as Item,
      toRow: (item: Item) => Object.fromEntries(pairs.map(([field, column]) => [column, item[field]])) as Row,
    }
  }
