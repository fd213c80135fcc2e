/** An example of RFC 5545 §3.8.5.3. All are in America/New_York, where the RFC prints dates as EDT (-4) and EST (-5). */
export type Rfc5545Example = Rfc5545Series | Rfc5545Refusal

export interface Rfc5545Series {
  name: string
  rule: string
  /** DTSTART. */
  start: Date
  exdates: readonly Date[]
  /** The instants that the RFC prints, in order. */
  expected: readonly Date[]
  /** The series goes on after the printed instants. */
  isEndless: boolean
}

/** An example that needs a part outside Daybook's grammar. */
interface Rfc5545Refusal {
  name: string
  rule: string
  start: Date
  rejectedPart: string
}

export const RFC5545_TIME_ZONE = 'America/New_York'

export const RFC5545_EXAMPLES: readonly Rfc5545Example[] = [
  ends('daily, 10 times', 'FREQ=DAILY;COUNT=10', ['1997 EDT September 2-11']),
  ends('daily until 24 December', 'FREQ=DAILY;UNTIL=19971224T000000Z', [
    '1997 EDT September 2-30; October 1-25',
    '1997 EST October 26-31; November 1-30; December 1-23',
  ]),
  endless('every other day', 'FREQ=DAILY;INTERVAL=2', [
    '1997 EDT September 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30; October 2,4,6,8,10,12,14,16,18,20,22,24',
    '1997 EST October 26,28,30; November 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29; December 1,3',
  ]),
  ends('every 10 days, 5 times', 'FREQ=DAILY;INTERVAL=10;COUNT=5', [
    '1997 EDT September 2,12,22; October 2,12',
  ]),
  ends(
    'every day in January for 3 years, as a yearly rule',
    'FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA',
    ['1998 EST January 1-31', '1999 EST January 1-31', '2000 EST January 1-31'],
  ),
  ends('every day in January for 3 years, as a daily rule', 'FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1', [
    '1998 EST January 1-31',
    '1999 EST January 1-31',
    '2000 EST January 1-31',
  ]),
  ends('weekly, 10 times', 'FREQ=WEEKLY;COUNT=10', [
    '1997 EDT September 2,9,16,23,30; October 7,14,21',
    '1997 EST October 28; November 4',
  ]),
  ends('weekly until 24 December', 'FREQ=WEEKLY;UNTIL=19971224T000000Z', [
    '1997 EDT September 2,9,16,23,30; October 7,14,21',
    '1997 EST October 28; November 4,11,18,25; December 2,9,16,23',
  ]),
  endless('every other week', 'FREQ=WEEKLY;INTERVAL=2;WKST=SU', [
    '1997 EDT September 2,16,30; October 14',
    '1997 EST October 28; November 11,25; December 9,23',
    '1998 EST January 6,20; February 3,17',
  ]),
  ends(
    'Tuesday and Thursday for five weeks, by UNTIL',
    'FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH',
    ['1997 EDT September 2,4,9,11,16,18,23,25,30; October 2'],
  ),
  ends('Tuesday and Thursday for five weeks, by COUNT', 'FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH', [
    '1997 EDT September 2,4,9,11,16,18,23,25,30; October 2',
  ]),
  ends(
    'Monday, Wednesday and Friday of every other week until 24 December',
    'FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR',
    [
      '1997 EDT September 1,3,5,15,17,19,29; October 1,3,13,15,17',
      '1997 EST October 27,29,31; November 10,12,14,24,26,28; December 8,10,12,22',
    ],
  ),
  ends(
    'Tuesday and Thursday of every other week, 8 times',
    'FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH',
    ['1997 EDT September 2,4,16,18,30; October 2,14,16'],
  ),
  ends('first Friday of the month, 10 times', 'FREQ=MONTHLY;COUNT=10;BYDAY=1FR', [
    '1997 EDT September 5; October 3',
    '1997 EST November 7; December 5',
    '1998 EST January 2; February 6; March 6; April 3',
    '1998 EDT May 1; June 5',
  ]),
  ends('first Friday of the month until 24 December', 'FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR', [
    '1997 EDT September 5; October 3',
    '1997 EST November 7; December 5',
  ]),
  ends(
    'first and last Sunday of every other month, 10 times',
    'FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU',
    [
      '1997 EDT September 7,28',
      '1997 EST November 2,30',
      '1998 EST January 4,25; March 1,29',
      '1998 EDT May 3,31',
    ],
  ),
  ends('second-to-last Monday for 6 months', 'FREQ=MONTHLY;COUNT=6;BYDAY=-2MO', [
    '1997 EDT September 22; October 20',
    '1997 EST November 17; December 22',
    '1998 EST January 19; February 16',
  ]),
  endless('third-to-last day of the month', 'FREQ=MONTHLY;BYMONTHDAY=-3', [
    '1997 EDT September 28',
    '1997 EST October 29; November 28; December 29',
    '1998 EST January 29; February 26',
  ]),
  ends('2nd and 15th of the month, 10 times', 'FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15', [
    '1997 EDT September 2,15; October 2,15',
    '1997 EST November 2,15; December 2,15',
    '1998 EST January 2,15',
  ]),
  ends('first and last day of the month, 10 times', 'FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1', [
    '1997 EDT September 30; October 1',
    '1997 EST October 31; November 1,30; December 1,31',
    '1998 EST January 1,31; February 1',
  ]),
  ends(
    '10th to 15th of every 18th month, 10 times',
    'FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15',
    ['1997 EDT September 10,11,12,13,14,15', '1999 EST March 10,11,12,13'],
  ),
  endless('every Tuesday of every other month', 'FREQ=MONTHLY;INTERVAL=2;BYDAY=TU', [
    '1997 EDT September 2,9,16,23,30',
    '1997 EST November 4,11,18,25',
    '1998 EST January 6,13,20,27; March 3,10,17,24,31',
  ]),
  ends('June and July, 10 times', 'FREQ=YEARLY;COUNT=10;BYMONTH=6,7', [
    '1997 EDT June 10; July 10',
    '1998 EDT June 10; July 10',
    '1999 EDT June 10; July 10',
    '2000 EDT June 10; July 10',
    '2001 EDT June 10; July 10',
  ]),
  ends(
    'January, February and March of every other year, 10 times',
    'FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3',
    [
      '1997 EST March 10',
      '1999 EST January 10; February 10; March 10',
      '2001 EST January 10; February 10; March 10',
      '2003 EST January 10; February 10; March 10',
    ],
  ),
  refused(
    '1st, 100th and 200th day of every third year',
    'FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200',
    'BYYEARDAY',
  ),
  endless('20th Monday of the year', 'FREQ=YEARLY;BYDAY=20MO', [
    '1997 EDT May 19',
    '1998 EDT May 18',
    '1999 EDT May 17',
  ]),
  refused('Monday of week 20', 'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', 'BYWEEKNO'),
  endless('every Thursday in March', 'FREQ=YEARLY;BYMONTH=3;BYDAY=TH', [
    '1997 EST March 13,20,27',
    '1998 EST March 5,12,19,26',
    '1999 EST March 4,11,18,25',
  ]),
  endless('every Thursday from June to August', 'FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8', [
    '1997 EDT June 5,12,19,26; July 3,10,17,24,31; August 7,14,21,28',
    '1998 EDT June 4,11,18,25; July 2,9,16,23,30; August 6,13,20,27',
    '1999 EDT June 3,10,17,24; July 1,8,15,22,29; August 5,12,19,26',
  ]),
  {
    name: 'Friday the 13th, DTSTART taken out by EXDATE',
    rule: 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
    start: nineOClock('1997 EDT September 2'),
    exdates: printed(['1997 EDT September 2']),
    expected: printed([
      '1998 EST February 13; March 13; November 13',
      '1999 EDT August 13',
      '2000 EDT October 13',
    ]),
    isEndless: true,
  },
  endless('first Saturday after the first Sunday', 'FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13', [
    '1997 EDT September 13; October 11',
    '1997 EST November 8; December 13',
    '1998 EST January 10; February 7; March 7',
    '1998 EDT April 11; May 9; June 13',
  ]),
  endless(
    'Tuesday after the first Monday of November, every four years',
    'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8',
    ['1996 EST November 5', '2000 EST November 7', '2004 EST November 2'],
  ),
  ends('third of Tuesday, Wednesday, Thursday, 3 times', 'FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', [
    '1997 EDT September 4; October 7',
    '1997 EST November 6',
  ]),
  endless('second-to-last weekday of the month', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2', [
    '1997 EDT September 29',
    '1997 EST October 30; November 27; December 30',
    '1998 EST January 29; February 26; March 30',
  ]),
  ends(
    // The RFC prints 15:00 too, which its UNTIL, 13:00 in New York, leaves out: an erratum corrects that.
    'every 3 hours',
    'FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z',
    ['1997 EDT September 2'],
    [9, 12],
  ),
  refused('every 15 minutes', 'FREQ=MINUTELY;INTERVAL=15;COUNT=6', 'FREQ'),
  refused('every hour and a half', 'FREQ=MINUTELY;INTERVAL=90;COUNT=4', 'FREQ'),
  endless(
    'every 20 minutes of the working day, as a daily rule',
    'FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40',
    ['1997 EDT September 2-3'],
    [9, 10, 11, 12, 13, 14, 15, 16].flatMap((hour) => [hour, hour + 1 / 3, hour + 2 / 3]),
  ),
  refused(
    'every 20 minutes of the working day, by the minute',
    'FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16',
    'FREQ',
  ),
  ends('weeks that begin on Monday', 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO', [
    '1997 EDT August 5,10,19,24',
  ]),
  ends('weeks that begin on Sunday', 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU', [
    '1997 EDT August 5,17,19,31',
  ]),
  ends('30 February is left out', 'FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5', [
    '2007 EST January 15,30; February 15',
    '2007 EDT March 15,30',
  ]),
]

/** Every other example starts at its first printed instant. */
function ends(
  name: string,
  rule: string,
  lines: readonly string[],
  hours: readonly number[] = [9],
): Rfc5545Series {
  const expected = printed(lines).flatMap((nine) =>
    hours.map((hour) => new Date(nine.getTime() + Math.round((hour - 9) * 60) * 60_000)),
  )
  return { name, rule, start: expected[0] as Date, exdates: [], expected, isEndless: false }
}

function endless(
  name: string,
  rule: string,
  lines: readonly string[],
  hours?: readonly number[],
): Rfc5545Series {
  return { ...ends(name, rule, lines, hours), isEndless: true }
}

function refused(name: string, rule: string, rejectedPart: string): Rfc5545Refusal {
  return { name, rule, start: nineOClock('1997 EDT September 2'), rejectedPart }
}

/** Reads lines such as `1997 EDT September 2-30; October 1,3`, all at 9:00. */
function printed(lines: readonly string[]): Date[] {
  return lines.flatMap((line) => {
    const prefix = line.slice(0, '1997 EDT '.length)
    return line
      .slice(prefix.length)
      .split('; ')
      .flatMap((monthAndDays) => {
        const [month, days = ''] = monthAndDays.split(' ')
        return days.split(',').flatMap((item) => {
          const [first, last = first] = item.split('-').map(Number) as [number, number?]
          return Array.from({ length: last - first + 1 }, (_, index) =>
            nineOClock(`${prefix}${month} ${first + index}`),
          )
        })
      })
  })
}

function nineOClock(text: string): Date {
  const [year, zone, month, day] = text.split(' ')
  return new Date(`${month} ${day}, ${year} 09:00:00 ${zone}`)
}
