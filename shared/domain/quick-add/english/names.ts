import { MONTHS, WEEKDAY } from './words.ts'

/** What looks like a phrase and is a name. */
export const NAMES = [
  '\\b(?:(?:freaky|casual)\\s+friday|friday\\s+night\\s+lights|blue\\s+monday|taco\\s+tuesday|throwback\\s+thursday|saturday\\s+night\\s+live|sunday\\s+(?:school|roast|best|times)|(?:day|week)\\s+to\\s+(?:day|week)|good\\s+(?:morning|afternoon|evening|night))\\b',
  // In the middle of a line nobody writes them so: USA Today.
  '(?<=[\\p{L}\\p{N}]\\s+)(?-i:To(?:day|night|morrow))(?![\\p{L}\\p{N}])',
  // Of a book or of chapters; in Lunch 12:30 the first word is a capital of its own.
  '(?<=\\S\\s+(?-i:\\p{Lu}\\p{Ll}+)\\s+)(?<!\\b(?:' +
    WEEKDAY +
    '|' +
    MONTHS +
    '|noon|today|tonight|tomorrow)\\s+)\\d{1,3}:\\d{2,3}(?![:\\d]|\\s*[ap]\\.?m|\\s*[\\p{Lu}]{3}\\b)',
  '\\b(?:room|flat|apartment|apt|unit|suite|number|no|chapter|page|step|part|version|grade|gate|platform|route|bus|line|track|level|floor|episode|season|section|article|exercise|question|table)\\.?\\s+\\d+(?:[/.:-]\\d+)*(?![\\p{L}\\d])',
]

/** Days that nothing here works out. */
export const HOLIDAY =
  "(?:christmas|new\\s+year(?:['’]?s)?|(?:black|good)\\s+friday|(?:cyber|easter)\\s+monday|(?:shrove|fat|super|giving)\\s+tuesday|ash\\s+wednesday|maundy\\s+thursday|(?:palm|easter|super\\s+bowl)\\s+sunday|easter|thanksgiving|halloween|valentine(?:['’]?s)?|boxing|labou?r|independence)(?:\\s+(?:eve|day|weekend))?"
