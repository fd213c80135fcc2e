import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'

/** SHA-256 of postgres.js 3.4.9's `src/connection.js` as `patches/` leaves it; see decision 080. */
const PATCHED_SHA256 = '2ade383dadd2ce9dce17416dbe223a4db36d709d4da2b7534cf2333d6f1433fe'

class DriverNotPatchedError extends Error {
  readonly code = 'driver.not_patched'
  constructor() {
    super(
      'refused to connect: postgres.js is not the patched one and would mix up results; run `npm ci` ' +
        'without --ignore-scripts, or `npx patch-package`.',
    )
    this.name = 'DriverNotPatchedError'
  }
}

/** Throws {@link DriverNotPatchedError} unless this is the text of the driver that its tests are about. */
export function checkDriver(text: Buffer): void {
  if (createHash('sha256').update(text).digest('hex') !== PATCHED_SHA256) throw new DriverNotPatchedError()
}

let isChecked = false

/** Checks the driver that this process loads, once. */
export function requirePatchedDriver(): void {
  if (isChecked) return
  const driver = dirname(findPackageJSON('postgres', import.meta.url)!)
  checkDriver(readFileSync(join(driver, 'src', 'connection.js')))
  isChecked = true
}
