import { fileURLToPath } from 'node:url'
import { withBuildLock } from '../build-lock.ts'
import { buildPrograms as buildDeliveryPrograms } from '../delivery/programs.ts'
import { failTool } from '../fail-tool.ts'
import { buildPrograms } from './programs.ts'
import { buildSchemas } from './schemas.ts'

// `npm run k8s:build`: Helm, which renders the charts, and kubeconform, which checks what they render; and what checks workflows and Terraform.
const say = (line: string) => process.stdout.write(`${line}\n`)

process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

try {
  await withBuildLock(
    fileURLToPath(new URL('bin/build.lock', import.meta.url)),
    async () => {
      await buildPrograms(say)
      buildSchemas(say)
      await buildDeliveryPrograms(say)
    },
    (pid) => say(`Waiting for another build (pid ${pid}).`),
  )
} catch (error) {
  failTool(error)
}
