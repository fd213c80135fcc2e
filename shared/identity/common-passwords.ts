let common: Promise<ReadonlySet<string>> | undefined

/** Whether it is among the 49,000 passwords found most in leaks, whatever its case. */
export async function isCommon(password: string): Promise<boolean> {
  common ??= load()
  return (await common).has(password.toLowerCase())
}

// With the first password that is set, because it takes 50 ms.
async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
}
