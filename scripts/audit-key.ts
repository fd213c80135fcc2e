import { readArguments } from '../shared/arguments.ts'
import { readSigningKey, signingKeyText, verifierText } from '../shared/domain/audit/signed-note.ts'
import { systemIds } from '../shared/kit/system.ts'

// `npm run audit:key -- daybook.example.org/audit`: a key for checkpoints, to be kept as the secret auditkey, and on standard error
// its verifier, for everybody.
const usage = 'npm run audit:key -- NAME, such as daybook.example.org/audit'
const [name] = readArguments(usage, { allowPositionals: true }).positionals
if (name === undefined || !/^[^\s+]+$/.test(name)) {
  process.stderr.write(`Usage: ${usage}\n`)
  process.exit(1)
}
const text = signingKeyText(name, Buffer.from(systemIds.hex(32), 'hex'))
process.stdout.write(`${text}\n`)
process.stderr.write(`Verifier: ${verifierText(readSigningKey(text)!)}\n`)
