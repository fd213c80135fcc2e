import { composeDaybook, type TestDaybook, type TestDaybookOptions } from './compose-daybook.ts'
import { testDatabase } from './database.ts'

/** The whole of Daybook for a test, on a database of its own. Call it at the top of a file or in `beforeAll`. */
export const testDaybook = async (options: TestDaybookOptions = {}): Promise<TestDaybook> =>
  composeDaybook(await testDatabase({ max: 20 }), options)
