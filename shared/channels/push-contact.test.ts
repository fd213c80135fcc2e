import { expect, it } from 'vitest'
import { pushContact } from './push-contact.ts'

const PUBLIC = 'Daybook <daybook@example.org>'
const LOCAL = 'Daybook <daybook@localhost>'

it.each<[string | undefined, string, string | null]>([
  ['https://daybook.example.org', LOCAL, 'https://daybook.example.org'],
  ['https://daybook.example.org', PUBLIC, 'https://daybook.example.org'],
  ['http://daybook.example.org', PUBLIC, 'mailto:daybook@example.org'],
  ['https://localhost:8443', PUBLIC, 'mailto:daybook@example.org'],
  ['https://127.0.0.1:8443', LOCAL, null],
  ['https://[::1]/', LOCAL, null],
  ['https://192.168.1.4', LOCAL, null],
  ['https://daybook', LOCAL, null],
  ['https://daybook.local', LOCAL, null],
  ['https://my.localhost', 'daybook@mail.home.arpa', null],
  ['http://localhost:3000', LOCAL, null],
  [undefined, 'daybook@example.org', 'mailto:daybook@example.org'],
  [undefined, 'daybook@localhost', null],
])(
  'tells a push service where we are when that is a public address: %s, %s',
  (publicUrl, mailFrom, contact) => {
    expect(pushContact({ publicUrl, mailFrom })).toBe(contact)
  },
)
