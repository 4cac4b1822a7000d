import { hash } from 'node:crypto';
import type { AnyLog } from '../../runtime/log.ts';

/**
 * A log that keeps the info lines of a share of the records only (`rate`, 0 to 1), always the same ones: of a record
 * that is kept every line is there, from fetch to POST. Lines without an id, warnings and errors all stay.
 */
export const sampledLog = (log: AnyLog, rate: number): AnyLog => {
  if (rate >= 1) return log;
  const keeps = (id: string): boolean => hash('sha256', id, 'buffer').readUInt32BE() < rate * 2 ** 32;
  return {
    ...log,
    info: (event, fields) => {
      if (typeof fields.id === 'string' && !keeps(fields.id)) return;
      log.info(event, fields);
    },
  };
};

/** The share of records whose info lines are kept, from `RECORD_LOG_RATE`; all of them where it says nothing useful. */
export const recordLogRate = (setting: string | undefined): number => {
  const rate = setting === undefined || setting.trim() === '' ? 1 : Number(setting);
  return rate >= 0 && rate <= 1 ? rate : 1;
};
