import { loadFunctions } from '../functions/main.ts'
import { unitsOf, type Unit } from '../shared/kit/units.ts'

export const loadUnits = async (): Promise<Unit[]> => unitsOf(await loadFunctions())
