const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
type Unit = keyof typeof UNIT_MS;

const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** The longest of each month, January first. */
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

type Field = {
  name: string;
  lowest: number;
  highest: number;
  names: readonly string[];
  /** What stands there beside numbers, lists, ranges and steps: `?`, and words that only EventBridge works out. */
  words?: RegExp;
};

/** Fields as in the EventBridge Scheduler user guide, "Schedule types", cron-based schedules. */
const fields = [
  { name: 'minutes', lowest: 0, highest: 59, names: [] },
  { name: 'hours', lowest: 0, highest: 23, names: [] },
  {
    name: 'day of the month',
    lowest: 1,
    highest: 31,
    names: [],
    words: /^(\?|LW?|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W)$/i,
  },
  { name: 'month', lowest: 1, highest: 12, names: MONTHS },
  {
    name: 'day of the week',
    lowest: 1,
    highest: 7,
    names: WEEKDAYS,
    words: /^(\?|([1-7]|[A-Z]{3})?L|([1-7]|[A-Z]{3})#[1-5])$/i,
  },
  { name: 'year', lowest: 1970, highest: 2199, names: [] },
] as const satisfies readonly Field[];

/** The numbers that a field allows, all for `?`; undefined: in words that only EventBridge works out (L, W, #). */
type Allowed = ReadonlySet<number> | undefined;

/** A schedule as EventBridge Scheduler reads it, or what is wrong with it, in words. */
type Schedule =
  | { kind: 'rate'; everyMs: number }
  | { kind: 'cron'; minutes: Allowed; hours: Allowed; days: Allowed; months: Allowed; weekdays: Allowed }
  | { kind: 'unreadable'; expected: string };

const GENERAL = 'an expression of EventBridge Scheduler: "rate(1 hour)" or "cron(0 8 * * ? *)"';

const unreadable = (expected: string): Schedule => ({ kind: 'unreadable', expected });

const readRate = (inside: string): Schedule => {
  const [, digits = '', unit = '', plural = ''] = /^(\d+) (minute|hour|day)(s?)$/.exec(inside) ?? [];
  const count = Number(digits);
  if (unit === '' || count === 0 || !Number.isSafeInteger(count * UNIT_MS.day)) {
    return unreadable('"rate(5 minutes)" or the like: a whole number from 1 on, and minutes, hours or days');
  }
  const right = count === 1 ? unit : `${unit}s`;
  return right === `${unit}${plural}`
    ? { kind: 'rate', everyMs: count * UNIT_MS[unit as Unit] }
    : unreadable(`"rate(${count} ${right})": one ${unit}, several ${unit}s`);
};

/** The values of one part of a field's list (`5`, `1-5`, `0/15`, `1-30/2`, names), or what is wrong with it. */
const partOf = (part: string, { lowest, highest, names }: Field): readonly number[] | { wrong: string } => {
  const numberOf = (word: string): number => {
    const named = names.indexOf(word.toUpperCase());
    return named >= 0 ? named + lowest : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  const isWithin = (value: number): boolean => value >= lowest && value <= highest;
  const [, range = '', step = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
  const isStepped = part.includes('/');
  const [fromWord = '', toWord, ...more] = range.split('-');
  const from = range === '*' ? lowest : numberOf(fromWord);
  // "5/15" goes on to the field's end; "5" is 5 alone.
  const to = toWord !== undefined ? numberOf(toWord) : range === '*' || isStepped ? highest : from;
  const isStepRight = Number(step) >= 1 && Number(step) <= highest;
  if (range === '' || more.length > 0 || !isWithin(from) || !isWithin(to) || !isStepRight) return { wrong: part };
  if (from > to) return { wrong: `${part}, a range that runs backwards` };
  const values: number[] = [];
  for (let value = from; value <= to; value += Number(step)) values.push(value);
  return values;
};

const allowedBy = (text: string, field: Field): { allowed: Allowed } | { wrong: string } => {
  if (text === '?' && field.words !== undefined) return allowedBy('*', field);
  const values = new Set<number>();
  let isWorkedOut = false;
  for (const part of text.split(',')) {
    const word = field.words?.exec(part);
    const named = word?.find((one) => /^[A-Z]{3}$/i.test(one ?? ''));
    if (part !== '?' && word && (named === undefined || field.names.includes(named.toUpperCase()))) {
      isWorkedOut = true;
      continue;
    }
    const read = partOf(part, field);
    if ('wrong' in read) return read;
    for (const value of read) values.add(value);
  }
  return { allowed: isWorkedOut ? undefined : values };
};

const ranges = (field: Field): string =>
  field.names.length > 0
    ? `${field.lowest}-${field.highest} or ${field.names[0]}-${field.names.at(-1)}`
    : `${field.lowest}-${field.highest}`;

const readCron = (inside: string): Schedule => {
  const texts = inside.split(' ');
  const translated = texts.length === 5 ? fiveFieldsAsSix(texts) : undefined;
  if (texts.length !== fields.length) {
    const six = 'six fields: minutes, hours, day of the month, month, day of the week, year';
    const isRead = translated !== undefined && readSchedule(translated).kind === 'cron';
    return unreadable(isRead ? `"${translated}": ${six}` : `${six}, such as "cron(0 8 * * ? *)"`);
  }
  const read: Allowed[] = [];
  for (const [index, field] of fields.entries()) {
    const found = allowedBy(texts[index] ?? '', field);
    if ('wrong' in found) {
      return unreadable(`${ranges(field)} as the ${field.name}, such as "cron(0 8 * * ? *)"; not ${found.wrong}`);
    }
    read.push(found.allowed);
  }
  const [minutes, hours, days, months, weekdays] = read;
  const [minute, hour, day, month, weekday, year] = texts;
  if ((day === '?') === (weekday === '?')) {
    const right = weekday === '*' || weekday === '?' ? [day === '?' ? '*' : day, month, '?'] : ['?', month, weekday];
    return unreadable(
      `"cron(${[minute, hour, ...right, year].join(' ')})": "?" in one of the two fields of days, and in one only`,
    );
  }
  const longest = Math.max(...[...(months ?? [1])].map((one) => DAYS_IN_MONTH[one - 1] ?? 0));
  const isOnCalendar = [...(days ?? [1])].some((one) => one <= longest);
  return isOnCalendar
    ? { kind: 'cron', minutes, hours, days, months, weekdays }
    : unreadable('a day that one of its months has, such as "cron(0 8 1 * ? *)": this one never comes');
};

/**
 * Reads the expression of a schedule by the documented grammar of EventBridge Scheduler: `rate(value unit)` or
 * `cron(six fields)`. What EventBridge would refuse, or what never comes, is named with a right example. Pure.
 */
export const readSchedule = (expression: string): Schedule => {
  const [, kind, inside = ''] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'rate') return readRate(inside);
  if (kind === 'cron') return readCron(inside);
  const words = expression.trim().split(/\s+/);
  return words.length === 5 || words.length === 6 ? bare(words) : unreadable(GENERAL);
};

/** Fields without `cron(…)` around them. */
const bare = (words: readonly string[]): Schedule => {
  const meant = words.length === 5 ? fiveFieldsAsSix(words) : `cron(${words.join(' ')})`;
  return meant !== undefined && readSchedule(meant).kind === 'cron'
    ? unreadable(`"${meant}", as EventBridge Scheduler writes it`)
    : unreadable(GENERAL);
};

/** The days of one part of a weekday list, 0 is Sunday and 7 is, too. */
const daysOf = (part: string): number[] | undefined => {
  const [, from = '', to, step = '1'] = /^([^/-]+)(?:-([^/-]+))?(?:\/([1-7]))?$/.exec(part) ?? [];
  const numberOf = (word: string): number => {
    const named = WEEKDAYS.indexOf(word.toUpperCase());
    return named >= 0 ? named : /^[0-7]$/.test(word) ? Number(word) : Number.NaN;
  };
  const isAll = from === '*';
  const first = isAll ? 0 : numberOf(from);
  const last = isAll || (to === undefined && part.includes('/')) ? 6 : numberOf(to ?? from);
  if (Number.isNaN(first) || Number.isNaN(last) || last < first) return undefined;
  const days: number[] = [];
  for (let day = first; day <= last; day += Number(step)) days.push(day % WEEKDAYS.length);
  return days;
};

/** `1-5` as `MON-FRI`: five fields count Sunday as 0, EventBridge as 1. */
const weekdaysOf = (text: string): string | undefined => {
  const parts = text.split(',').map(daysOf);
  const days = [...new Set(parts.flatMap((part) => part ?? []))].sort((a, b) => a - b);
  if (parts.includes(undefined) || days.length === 0) return undefined;
  const [first = 0] = days;
  const last = days.at(-1) ?? first;
  const isRange = days.length > 2 && last - first === days.length - 1;
  return isRange ? `${WEEKDAYS[first]}-${WEEKDAYS[last]}` : days.map((day) => WEEKDAYS[day]).join(',');
};

/** Steps over everything begin at the field's lowest value. */
const stepped = (text: string, lowest: number): string => text.replace(/^\*\//, `${lowest}/`);

/**
 * Five fields of cron, as 轻易云 and Unix write them, as an expression of EventBridge Scheduler. Undefined where one
 * expression cannot say the same: cron runs on either of two days that are both given. Pure.
 */
const fiveFieldsAsSix = ([minute = '', hour = '', day = '', month = '', weekday = '']: readonly string[]):
  | string
  | undefined => {
  const isEveryDay = day === '*' || day === '?';
  const isEveryWeekday = weekday === '*' || weekday === '?';
  if (!isEveryDay && !isEveryWeekday) return undefined;
  const weekdays = isEveryWeekday ? '?' : weekdaysOf(weekday);
  if (weekdays === undefined) return undefined;
  const days = isEveryWeekday ? (isEveryDay ? '*' : stepped(day, 1)) : '?';
  return `cron(${[stepped(minute, 0), stepped(hour, 0), days, stepped(month, 1), weekdays, '*'].join(' ')})`;
};
