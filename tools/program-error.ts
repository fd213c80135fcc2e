/** Why a program of the real profile does not run; the message is one line that says what to do. */
export class ProgramError extends Error {
  readonly code:
    | 'program.missing'
    | 'program.already_runs'
    | 'program.ended'
    | 'program.not_ready'
    | 'port.in_use'
    | 'build.failed'
    | 'usage'
  constructor(code: ProgramError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProgramError'
    this.code = code
  }
}
