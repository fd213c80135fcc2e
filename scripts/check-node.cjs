// Plain JavaScript that old versions can read: says in one line what TypeScript files would answer with a stack trace.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `Daybook needs Node 24, this is ${process.versions.node}. On Linux x64 it comes with \`npm ci\` ` +
      '(without --omit=optional); elsewhere install Node 24.',
  )
  process.exit(1)
}
