import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'

/** A browser that has subscribed: it can read what is pushed to it. */
export function subscribedBrowser() {
  const own = createECDH('prime256v1')
  own.generateKeys()
  const auth = randomBytes(16)

  /** RFC 8291 §3.4 with the header of RFC 8188 §2.1: salt, record size, key of the sender, one record. */
  function read(message: Buffer): unknown {
    const salt = message.subarray(0, 16)
    const keyLength = message.readUInt8(20)
    const senderKey = message.subarray(21, 21 + keyLength)
    const record = message.subarray(21 + keyLength)
    const shared = own.computeSecret(senderKey)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), own.getPublicKey(), senderKey])
    const secret = hkdf(shared, auth, info, 32)
    const key = hkdf(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
    const nonce = hkdf(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(record.subarray(-16))
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
    // A delimiter of 2 ends the last record, zeros pad it.
    return JSON.parse(padded.subarray(0, padded.lastIndexOf(2)).toString())
  }

  return {
    keys: { p256dh: own.getPublicKey('base64url'), auth: auth.toString('base64url') },
    read,
  }
}

const hkdf = (key: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length))
