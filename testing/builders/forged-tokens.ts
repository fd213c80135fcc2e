import { createHmac, sign, type KeyObject } from 'node:crypto'

export const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token put together by hand, because no honest library would sign what an attacker wants signed. */
export function forge(
  header: object | string,
  payload: unknown,
  signature: (input: string) => string = () => '',
): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${signature(input)}`
}

export const signedBy =
  (key: KeyObject, hash: 'sha256' | 'sha512' = 'sha256') =>
  (input: string): string =>
    sign(hash, Buffer.from(input), key).toString('base64url')

export const maced =
  (secret: string | Buffer) =>
  (input: string): string =>
    createHmac('sha256', secret).update(input).digest('base64url')
