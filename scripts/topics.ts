import { BROKERS, checkBroker } from '../profiles/self-hosted/broker.ts'
import { applyOurTopics } from '../profiles/self-hosted/topics.ts'
import { inheritedEnvironment } from '../shared/config.ts'
import { readArguments } from '../shared/arguments.ts'
import { explain } from '../shared/kit/process.ts'

// `npm run topics [-- --add-partitions] [--command-config FILE]`: makes the topics on Kafka with the settings of
// shared/domain/topics.ts, and brings those that differ to them.
const say = (line: string) => void process.stdout.write(`${line}\n`)

const { values } = readArguments('npm run topics [-- --add-partitions] [--command-config FILE]', {
  options: { 'command-config': { type: 'string' }, 'add-partitions': { type: 'boolean', default: false } },
})

try {
  const brokers = inheritedEnvironment()['DAYBOOK_KAFKA_BROKERS'] ?? '127.0.0.1:9092'
  const propertiesFile = values['command-config']
  await checkBroker(BROKERS.kafka, brokers)
  let changes = 0
  const tell = (line: string) => {
    changes += 1
    say(line)
  }
  const cluster = { brokers, ...(propertiesFile !== undefined && { propertiesFile }) }
  await applyOurTopics(cluster, tell, { addPartitions: values['add-partitions'] })
  if (changes === 0) say('The topics are as they should be.')
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}
