const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;
const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

const CRON = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) \S+\)$/;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Looked through for a cron expression's gaps: more than a month, so that "the first of the month" shows one. */
const SPAN_DAYS = 65;
/** For what is planned more seldom than the span shows, or in words that only EventBridge understands (L, W, #). */
const SELDOM_MS = 31 * UNIT_MS.day;

/** The values that one field allows (`*`, `?`, `5`, `1-5`, `0/15`, `1-30/2`, lists, names), or undefined for others. */
const valuesOf = (
  field: string,
  lowest: number,
  highest: number,
  names: readonly string[] = [],
): Set<number> | undefined => {
  const numberOf = (word: string): number => {
    const named = names.indexOf(word.toUpperCase());
    return named >= 0 ? named + lowest : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', stepWord] = part.split('/');
    const [fromWord = '', toWord] = range.split('-');
    const isAny = range === '*' || range === '?';
    const from = isAny ? lowest : numberOf(fromWord);
    // "5/15" goes on to the field's end; "5" is 5 alone.
    const to = isAny || (stepWord !== undefined && toWord === undefined) ? highest : numberOf(toWord ?? fromWord);
    const step = stepWord === undefined ? 1 : Number(stepWord);
    if (![from, to, step].every(Number.isInteger) || step < 1) return undefined;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
};

/**
 * The longest gap between two runs of an EventBridge Scheduler expression, in ms: of `rate(…)` the rate; of `cron(…)`
 * the longest that shows when its minutes are laid out over two months (a month where none shows). Pure.
 *
 * Time zones move all runs alike, and a change to or from summer time moves one run by an hour: neither matters to a
 * caller who allows twice the gap. Fields as in the EventBridge Scheduler user guide, "Schedule types".
 */
export const longestGapMs = (expression: string): number => {
  const rate = RATE.exec(expression);
  if (rate) return Number(rate[1]) * UNIT_MS[rate[2] as keyof typeof UNIT_MS];
  const [, minutes = '', hours = '', days = '', months = '', weekdays = ''] = CRON.exec(expression) ?? [];
  const allowed = {
    minute: valuesOf(minutes, 0, 59),
    hour: valuesOf(hours, 0, 23),
    day: valuesOf(days, 1, 31),
    month: valuesOf(months, 1, 12, MONTHS),
    weekday: valuesOf(weekdays, 1, 7, WEEKDAYS),
  };
  const { minute, hour, day, month, weekday } = allowed;
  if (!minute || !hour || !day || !month || !weekday) return SELDOM_MS;
  const times = [...hour].flatMap((h) => [...minute].map((m) => h * UNIT_MS.hour + m * UNIT_MS.minute));
  times.sort((a, b) => a - b);
  let lastMs: number | undefined;
  let gapMs = 0;
  for (let dayMs = 0; dayMs < SPAN_DAYS * UNIT_MS.day; dayMs += UNIT_MS.day) {
    // Any two months serve; these start in January 2026, on a Thursday.
    const date = new Date(Date.UTC(2026, 0, 1) + dayMs);
    const isOn = day.has(date.getUTCDate()) && month.has(date.getUTCMonth() + 1) && weekday.has(date.getUTCDay() + 1);
    for (const timeMs of isOn ? times : []) {
      const atMs = dayMs + timeMs;
      if (lastMs !== undefined) gapMs = Math.max(gapMs, atMs - lastMs);
      lastMs = atMs;
    }
  }
  return gapMs === 0 ? SELDOM_MS : gapMs;
};
