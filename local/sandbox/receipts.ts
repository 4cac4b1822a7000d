import type { JsonObject } from '../../lib/json/json.ts';
import { beijingTime } from './okki-time.ts';

const FIRST_MS = Date.parse('2026-01-05T01:30:00Z');
const STEP_MS = 6 * 60 * 60 * 1000;
const COUNT = 137;
const FIRST_ID = 6_104_470_000;
const CUSTOMERS = [
  'Nordlicht GmbH',
  'Casa Verde Ltda.',
  '宁波海川进出口有限公司',
  'Al Noor Trading',
  'Maple Supply Inc.',
];
const CURRENCIES = ['USD', 'EUR', 'CNY'];

const receipt = (n: number): JsonObject => {
  const createdMs = FIRST_MS + n * STEP_MS;
  return {
    cash_collection_id: FIRST_ID + n * 13,
    cash_collection_no: `HK2026${String(n + 1).padStart(5, '0')}`,
    company_name: CUSTOMERS[n % CUSTOMERS.length] ?? '',
    currency: CURRENCIES[n % CURRENCIES.length] ?? '',
    // As OKKI answers: amounts are texts, and a missing object is an empty list.
    amount: (((n * 7919) % 100_000) / 100 + 50).toFixed(2),
    handlers: [],
    collection_date: beijingTime(createdMs).slice(0, 10),
    create_time: beijingTime(createdMs),
    // Every fifth receipt was updated again two days later, so the list is not sorted by update time.
    update_time: beijingTime(createdMs + (n % 5 === 4 ? 8 * STEP_MS : 0)),
    removed: n % 17 === 16 ? 1 : 0,
  };
};

/** The receipts of the sandbox: 137, of which 8 are removed; one every six hours from 2026-01-05 09:30 Beijing time. */
export const builtInReceipts: readonly JsonObject[] = Array.from({ length: COUNT }, (_, n) => receipt(n));
