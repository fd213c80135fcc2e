/** Ctrl-C reaches us from the terminal and, so soon after, once more from npm. */
const ECHO_MS = 500

/**
 * Calls `end` on the first SIGINT or SIGTERM; one that comes later than the first's echo ends the process at once. The
 * answer takes the handlers off again.
 */
export function onSignal(end: () => void): () => void {
  let first: number | undefined
  const handle = () => {
    if (first === undefined) {
      first = performance.now()
      end()
    } else if (performance.now() - first > ECHO_MS) process.exit(1)
  }
  process.on('SIGINT', handle).on('SIGTERM', handle)
  return () => void process.off('SIGINT', handle).off('SIGTERM', handle)
}

/** Runs `close` once on SIGINT or SIGTERM and ends the process; a second signal ends it at once. */
export function exitOnSignal(close: () => Promise<void>): void {
  onSignal(() => {
    close().then(
      () => process.exit(0),
      (error: unknown) => failToStart(error),
    )
  })
}

/** Ends the process with one line that says what to do. */
export function failToStart(error: unknown): never {
  process.stderr.write(`Daybook: ${explain(error)}\n`)
  process.exit(1)
}

/** Of a file or folder that cannot be made or written: no right, read-only, full, below a file or in no folder. */
const FOLDER_ERRORS = /^(EACCES|EPERM|EROFS|ENOSPC|EDQUOT|ENOTDIR|EEXIST)$/
const WRITES = /^(mkdtemp|open|write|chmod|l?chown|rename)/

/** What went wrong in one line, for the person at the terminal. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  const port = 'port' in error ? ` ${String(error.port)}` : ''
  if (code === 'EADDRINUSE') return `port${port} is in use; stop what uses it or set PORT to another.`
  const syscall = 'syscall' in error ? String(error.syscall) : ''
  if (code === 'ENOENT' && syscall.startsWith('spawn')) {
    const program = syscall.slice('spawn '.length) || 'to start'
    return `the program ${program} is not found; install it, or put its folder on PATH.`
  }
  const isWrite = syscall === 'mkdir' || (FOLDER_ERRORS.test(code) && WRITES.test(syscall))
  if (isWrite) {
    const path = 'path' in error ? ` ${String(error.path)}` : ''
    return `cannot write${path} (${code}); check its owner and mode, or set DAYBOOK_DATA_DIR to another folder.`
  }
  if (code === 'EACCES') return `not allowed: ${error.message}.`
  const isSocketMissing = code === 'ENOENT' && syscall === 'connect'
  if (isSocketMissing || /^(ECONNREFUSED|ENOTFOUND|CONNECT_TIMEOUT|EHOSTUNREACH)$/.test(code)) {
    return `the database cannot be reached (${code}); check DATABASE_URL and that PostgreSQL is running.`
  }
  if (/^(28P01|28000)$/.test(code)) return `the database refuses the user or password in DATABASE_URL.`
  if (code === '42501') {
    return `the database does not allow it (${error.message}); for migrations, DATABASE_MIGRATION_URL names the owner of its tables.`
  }
  if (code === '3D000') return `the database named in DATABASE_URL does not exist.`
  return error.message
}
