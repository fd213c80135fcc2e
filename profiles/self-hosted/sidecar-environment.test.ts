import { describe, expect, it } from 'vitest'
import { unitEnvironment } from '../../shared/config.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { loadUnits } from '../load-units.ts'
import { CONFIGURATION, writeResources } from './resources.ts'
import { sidecarEnvironment } from './sidecar-environment.ts'

/** What an operator has set: every secret there is, and some of their own. */
const EVERYTHING = {
  DATABASE_URL: 'postgres://app:pw@db/daybook',
  DATABASE_MIGRATION_URL: 'postgres://owner:pw@db/daybook',
  DAYBOOK_STATE_URL: 'postgres://state:pw@db/daybook',
  DAYBOOK_KAFKA_BROKERS: 'kafka:9092',
  DAYBOOK_KAFKA_USER: 'daybook',
  DAYBOOK_REDIS_PASSWORD: 'redis-password',
  DAYBOOK_MAIL_URL: 'http://127.0.0.1:8025/',
  DAYBOOK_MAIL_AUTHORIZATION: 'Bearer relay',
  DAYBOOK_SECRET_resendauthorization: 'Bearer re_1',
  DAYBOOK_SECRET_kafkapassword: 'kafka-password',
  DAYBOOK_SECRET_vapidprivatekey: 'vapid',
  DAYBOOK_SECRET_fcmserviceaccount: '{}',
  DAYBOOK_SECRET_ofsomethingelse: 'x',
  MAIL_SMTP_URL: 'smtps://mail:pw@smtp.example',
  MAIL_RELAY_TOKEN: 'relay-token-of-this-one',
  MAIL_FROM: 'Daybook <daybook@example.org>',
  AWS_SECRET_ACCESS_KEY: 'of the operator',
}

const given = (variables: Record<string, string | undefined>) =>
  Object.keys(variables)
    .filter((name) => variables[name] !== undefined)
    .toSorted()

/** Names of the variables that the sidecar of each unit gets. */
async function gotBySidecars(variants: string[] = []): Promise<Map<string, string[]>> {
  const resourcesDir = `${temporaryFolder()}/resources`
  writeResources(resourcesDir, variants)
  const around = { resourcesDir, configurationDir: CONFIGURATION, environment: EVERYTHING }
  const units = await loadUnits()
  return new Map(
    await Promise.all(
      units.map(async ({ id }) => [id, given(await sidecarEnvironment(id, around))] as const),
    ),
  )
}

const havingGot = (got: Map<string, string[]>, name: string) =>
  [...got].filter(([, names]) => names.includes(name)).map(([id]) => id)

describe('a sidecar', () => {
  it('gets what its components and its functions ask for, and nothing else', async () => {
    const got = await gotBySidecars()
    expect(got.get('recurrence-worker')).toEqual(['DAYBOOK_KAFKA_BROKERS'])
    expect(got.get('tasks-api')).toEqual(['DAYBOOK_KAFKA_BROKERS'])
    expect(got.get('notifications-api')).toEqual(['DAYBOOK_KAFKA_BROKERS', 'DAYBOOK_SECRET_vapidprivatekey'])
    expect(got.get('notifications-worker')).toEqual([
      'DAYBOOK_KAFKA_BROKERS',
      'DAYBOOK_MAIL_AUTHORIZATION',
      'DAYBOOK_MAIL_URL',
      'DAYBOOK_SECRET_fcmserviceaccount',
      'DAYBOOK_SECRET_vapidprivatekey',
    ])
  })

  it('gets the secrets that a variant names, where the variant is in scope', async () => {
    const got = await gotBySidecars(['mail-resend.yaml', 'pubsub-kafka-sasl.yaml'])
    expect(havingGot(got, 'DAYBOOK_SECRET_resendauthorization')).toEqual(['notifications-worker'])
    expect(havingGot(got, 'DAYBOOK_MAIL_AUTHORIZATION')).toEqual([])
    // Every unit leaves events.
    expect(havingGot(got, 'DAYBOOK_SECRET_kafkapassword')).toEqual([...got.keys()])
    expect(got.get('edge')).toEqual([
      'DAYBOOK_KAFKA_BROKERS',
      'DAYBOOK_KAFKA_USER',
      'DAYBOOK_SECRET_kafkapassword',
    ])
  })
})

it('a unit gets the settings of the product, and no secret of mail, migrations, brokers or the operator', () => {
  expect(given(unitEnvironment(EVERYTHING))).toEqual(['DATABASE_URL', 'MAIL_FROM'])
})
