import { loadFunctions } from '../functions/main.ts'
import { unitsOf, type Unit } from '../shared/kit/units.ts'

/** The units that the functions of this checkout make. */
export const loadUnits = async (): Promise<Unit[]> => unitsOf(await loadFunctions())
