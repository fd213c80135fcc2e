import { stringify } from 'yaml'
import { header } from './generated.ts'
import type { Code, Trigger, UnitSpec } from './units.ts'

const AUTHENTICATION = 'daybook-due-work'
/** More waiting than this for each pod asks for another. */
const ROWS_PER_POD = '500'
const MESSAGES_PER_POD = '100'

/** What wakes the workers on Kubernetes, where neither a Dapr job nor a cron binding starts a pod. */
export function kedaWorkers({ units }: Code): string {
  const documents = [
    {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name: AUTHENTICATION },
      spec: { secretTargetRef: [{ parameter: 'connection', name: 'daybook-keda', key: 'connection' }] },
    },
    ...units.filter(({ scaling }) => scaling.kind === 'keda').map(scaledObject),
  ]
  return `${header('the functions')}#
# The secret \`daybook-keda\` holds \`connection\`, for a role that may only read the tables. A consumer group is the app-id;
# with \`earliest\`, what was published before it first joined wakes it too.
${documents.map((document) => stringify(document, { singleQuote: true, lineWidth: 0 })).join('---\n')}`
}

const scaledObject = ({ id, scaling }: UnitSpec) => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: id },
  spec: {
    scaleTargetRef: { name: id },
    minReplicaCount: scaling.min,
    maxReplicaCount: scaling.max,
    pollingInterval: 5,
    cooldownPeriod: 120,
    triggers: scaling.triggers.map((trigger) => triggerOf(id, trigger)),
  },
})

const triggerOf = (unit: string, trigger: Trigger) =>
  trigger.type === 'postgresql'
    ? {
        type: 'postgresql',
        authenticationRef: { name: AUTHENTICATION },
        metadata: {
          query: trigger.query,
          targetQueryValue: ROWS_PER_POD,
          activationTargetQueryValue: '0',
        },
      }
    : {
        type: 'kafka',
        metadata: {
          bootstrapServers: 'kafka:9092',
          consumerGroup: unit,
          topic: trigger.topic,
          lagThreshold: MESSAGES_PER_POD,
          activationLagThreshold: '0',
          offsetResetPolicy: 'earliest',
        },
      }
