const FEW_DIGITS = /^\d{0,4}$/

/**
 * Whether a password is made of the mail address that it goes with: all of it, what is before the @ or behind it, in
 * whatever case, with or without marks between, and with a few digits after it.
 */
export function isOwnAddress(password: string, email: string): boolean {
  const [local = '', domain = ''] = email.split('@')
  const own = [email, local, local.split('+')[0]!, domain, domain.slice(0, domain.lastIndexOf('.'))]
  const tried = bare(password)
  return own
    .map(bare)
    .some((part) => part !== '' && tried.startsWith(part) && FEW_DIGITS.test(tried.slice(part.length)))
}

const bare = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
