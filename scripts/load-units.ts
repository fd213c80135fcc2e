import { functionNames, loadFunctions } from '../functions/main.ts'
import { unitsOf, type Unit } from '../shared/kit/units.ts'

/** The units that the functions of this checkout make. */
export async function loadUnits(): Promise<Unit[]> {
  const names = functionNames()
  const functions = await loadFunctions(names)
  return unitsOf(functions.map(({ kind }, index) => ({ name: names[index]!, kind })))
}
