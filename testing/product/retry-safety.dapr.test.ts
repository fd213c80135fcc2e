import { retrySafety } from '../contracts/retry-safety.contract.ts'
import { product } from './harness/product.ts'

const { newUser } = await product()

retrySafety(newUser, { hasConsumers: true })
