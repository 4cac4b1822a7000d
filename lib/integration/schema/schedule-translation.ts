const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

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
export const fiveFieldsAsSix = ([minute = '', hour = '', day = '', month = '', weekday = '']: readonly string[]):
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
