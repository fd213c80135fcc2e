import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { folded, termsIn, wantedTerms } from './search-terms.ts'

const finds = (q: string, text: string) => {
  const terms = termsIn(text)
  const wanted = wantedTerms(q)
  return (
    wanted.length > 0 &&
    wanted.every(({ text: term, isBeginning }) =>
      terms.some((other) => (isBeginning ? other.startsWith(term) : other === term)),
    )
  )
}

describe('the words of a search', () => {
  it.each([
    ['上海', '我家在上海东边'],
    ['我', '我家在上海东边'],
    ['边', '我家在上海东边'],
    ['海东边', '我家在上海东边'],
    ['我家在上海东边', '明天我家在上海东边见'],
    ['3月', '2027年3月'],
    ['タワー', '東京タワーへ行く'],
    ['ﾀﾜｰ', '東京タワーへ行く'],
    ['行く', '東京タワーへ行く'],
    ['ケース', 'iPhone用ケース'],
    ['iphone', 'iPhone用ケース'],
    ['ใหม่', 'ซื้อนมใหม่ให้แมว'],
    ['ໃຫມ່', 'ຊື້ນົມໃຫມ່'],
    ['ភាសា', 'រៀនភាសាខ្មែរ'],
    ['စာအုပ်', 'ငါစာအုပ်ဖတ်တယ်'],
    ['हिन्दी', 'मेरी हिन्दी किताब'],
    ['한국', '한국어를 배우다'],
    ['ΟΔΟΣ', 'Οδός Ερμού'],
    ['οδος', 'ΟΔΌΣ'],
    ['lodz', 'Łódź'],
    ['ŁÓDŹ', 'lodz'],
    ['STRASSE', 'Große Straße'],
    ['straße', 'STRASSE 5'],
    ['ẞ', 'ss'],
    ['smorrebrod', 'Smørrebrød'],
    ['æble', 'AEble'],
    ['oeuvre', 'Œuvre'],
    ['dorde', 'Đorđe'],
    ['istanbul', 'İSTANBUL'],
    ['ISPARTA', 'ısparta'],
    ['thing', 'Þing'],
    ['collegi', 'el Col·legi'],
    ['שלום', 'שָׁלוֹם'],
    ['שלומ', 'שלום'],
    ['مدرسة', 'مَدْرَسَة'],
    ['احمد', 'أحمد'],
    ['كتاب', 'کتاب'],
    ['محمد', 'محـــمد'],
    ['2027', '٢٠٢٧'],
    ['2027', '۲۰۲۷'],
    ['२०२७', '2027'],
    ['Ｈｅｌｌｏ', 'hello'],
    ['office', 'oﬃce'],
    ['可\u0301', '可\u0301'],
    ['co-op', 'Co\u00adop co-op'],
    ['coop', 'Co\u00adop'],
    ['🎂', 'Party 🎉🎂'],
    ['🎉', 'Party🎉'],
    ['👍', 'ok 👍🏽'],
    ['❤️', '❤'],
    ['👩‍👧', '👩‍👧 visit'],
    ['🇩🇪', 'trip 🇩🇪'],
    ['✓', '✓ done'],
    ['€', '20 €'],
    ['C++', 'Learn C++'],
    ['c+', 'Learn C++'],
    ['c', 'Learn C++'],
    ['C#', 'Learn C#, then F#'],
    ['.NET', 'a .NET course'],
    ['.net', 'an ASP.NET course'],
    ['node.js', 'Update Node.js'],
    ['.js', 'Update Node.js'],
    ['#tag', 'note with #Tag'],
    ['tag', 'note with #Tag'],
    ['@ada', 'ask @Ada'],
    ['user@example.com', 'Mail user@example.com now'],
    ['(.net)', 'a .NET course'],
    ['pay ren', 'Pay Rent!'],
    [`${'x'.repeat(120)} y`, `${'x'.repeat(150)} y`],
  ])('%j finds %j', (q, text) => {
    expect(finds(q, text)).toBe(true)
    expect(finds(text, text)).toBe(true)
  })

  it.each([
    ['上东', '我家在上海东边'],
    ['海上', '我家在上海东边'],
    ['かく', 'がくせい'],
    ['C++', 'vitamin C'],
    ['C#', 'C++ and C'],
    ['.net', 'internet, network, net'],
    ['#tag', 'a tag'],
    ['@ada', 'Ada'],
    ['🎂', '🎉'],
    ['🇩🇪', '🇪🇩'],
    ['work', 'network'],
    ['!?*&|():\'"\\', '!?*&|()'],
    ['++', 'C++'],
    ['', 'a'],
  ])('%j does not find %j', (q, text) => {
    expect(finds(q, text)).toBe(false)
  })

  it('fold letters as the root collation does, those of living alphabets', () => {
    const { compare } = new Intl.Collator('und', { sensitivity: 'base' })
    const letters = 'abcdefghijklmnopqrstuvwxyz'.split('')
    const plain = letters.flatMap((first) => [first, ...letters.map((second) => first + second)])
    const ranges = [
      [0xc0, 0x24f],
      [0x1e00, 0x1eff],
    ] as const
    const wrong = ranges.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index))
        .filter((letter) => /\p{L}/u.test(letter) && !/^[a-z]+$/.test(folded(letter)))
        .filter((letter) => plain.some((text) => compare(letter, text) === 0)),
    )
    // Half a letter of Catalan, which ends in a dot, and signs of phonetics.
    expect(wrong.filter((letter) => !'ĿŀȸȹƍƾỺỻ'.includes(letter))).toEqual([])
  })

  it('are folded once and for all, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(folded(folded(text))).toBe(folded(text))
        expect(folded(text.toUpperCase())).toBe(folded(text.toUpperCase().toLowerCase()))
        expect(folded(text.normalize('NFD'))).toBe(folded(text))
      }),
      { numRuns: 500 },
    )
  })

  it('of a text find the text', () => {
    expect.hasAssertions()
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        expect(wantedTerms(text).length === 0 || finds(text, `before ${text} after`)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
