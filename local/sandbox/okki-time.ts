const BEIJING_OFFSET_MS = 8 * 60 * 60 * 1000;
const LOCAL_TIME = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d))?$/;

/** Milliseconds since the epoch as OKKI writes times: Beijing local time, `YYYY-MM-DD HH:MM:SS`. */
export const beijingTime = (ms: number): string =>
  new Date(ms + BEIJING_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

/** The milliseconds of a Beijing local time; a date alone is its midnight; undefined where it is no such time. */
export const parseBeijingTime = (text: string): number | undefined => {
  const match = LOCAL_TIME.exec(text);
  if (match === null) return undefined;
  const utcMs = Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}Z`);
  return Number.isNaN(utcMs) ? undefined : utcMs - BEIJING_OFFSET_MS;
};
