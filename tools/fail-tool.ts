/** Ends the process with exit code 1 and one line that says what to do. */
export function failTool(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
