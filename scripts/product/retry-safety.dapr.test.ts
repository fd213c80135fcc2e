import { retrySafety } from '../../functions/tasks/testing/retry-safety.contract.ts'
import { product } from './testing/product.ts'

const { newUser } = await product()

retrySafety(newUser, { hasConsumers: true })
