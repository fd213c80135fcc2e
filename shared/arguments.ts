import { parseArgs, type ParseArgsConfig } from 'node:util'

/**
 * The arguments of a command, read before it does anything. Ends the process with its usage: with 0 for `--help`, with 1
 * for what is not understood.
 */
export function readArguments<const Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    process.stdout.write(`Usage: ${usage}\n`)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nUsage: ${usage}\n`)
    process.exit(1)
  }
}
