import type { WindowSetting } from '../integration/schema/schema.ts';
import type { Window } from '../runs/record.ts';

const MINUTE_MS = 60_000;
const BEIJING_OFFSET_MS = 8 * 60 * MINUTE_MS;

/** A Beijing local time (`YYYY-MM-DD` or with ` HH:MM:SS`) in ms since the epoch; the schema has checked its form. */
const beijingMs = (text: string): number =>
  Date.parse(`${text.slice(0, 10)}T${text.slice(11) || '00:00:00'}Z`) - BEIJING_OFFSET_MS;

/**
 * What a run asks an incremental list for: from where the last one that succeeded left off, less the overlap (rows
 * that appear late, and clocks that differ), up to now. A full refresh begins at the beginning again. Pure.
 */
export const windowOf = (
  { overlapMinutes, initial }: WindowSetting,
  watermarkMs: number | undefined,
  fullRefresh: boolean,
  nowMs: number,
): Window => {
  const initialMs = beijingMs(initial);
  const fromMs =
    watermarkMs === undefined || fullRefresh
      ? initialMs
      : Math.max(initialMs, watermarkMs - overlapMinutes * MINUTE_MS);
  return { fromMs, toMs: Math.max(fromMs, nowMs) };
};
