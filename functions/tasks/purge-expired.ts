import { purgeExpired } from '../../shared/app/purge-expired.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

export default cronFunction({ binding: 'purge-cron', handle: purgeExpired })
