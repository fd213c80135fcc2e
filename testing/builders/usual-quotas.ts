import { readConfig } from '../../shared/config.ts'
import type { Quotas } from '../../shared/domain/quotas.ts'

/** What one user may have kept unless an operator says otherwise; a copy, for tests that allow less. */
export const usualQuotas = (): Quotas => readConfig({}).quotas
