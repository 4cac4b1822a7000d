import { beforeEach, describe, expect, it } from 'vitest';
import type { Permit, RateLimit, RateLimiter } from '../../lib/connection/limit/rate-limit.ts';

export type LimiterUnderTest = {
  /** Two workers of one limit. */
  workers: readonly [RateLimiter, RateLimiter];
  nowMs(): number;
  advance(ms: number): void;
};

const TEN_A_SECOND: RateLimit = { requests: 10, intervalMs: 1_000 };

/** Whether requests that start as unluckily as the permits allow can break the limit in some window. */
const mayBreak = (permits: readonly Permit[], { requests, intervalMs }: RateLimit): boolean => {
  const inOrder = [...permits].sort((a, b) => a.notBeforeMs - b.notBeforeMs);
  return inOrder.some((late, index) => {
    const early = inOrder[index + requests];
    return early !== undefined && early.notBeforeMs - late.untilMs < intervalMs;
  });
};

/** What every rate limiter keeps to. `create` gives one that nobody has used. */
export const rateLimiterContract = (create: () => Promise<LimiterUnderTest> | LimiterUnderTest) => {
  describe('as a rate limiter', () => {
    let under: LimiterUnderTest;
    let one: RateLimiter;
    let two: RateLimiter;
    beforeEach(async () => {
      under = await create();
      [one, two] = under.workers;
    });
    const inMs = (ms: number) => under.nowMs() + ms;

    it('leases what is asked for when there is time, the first permit at once', async () => {
      const { permits } = await one.acquire('okki', TEN_A_SECOND, 5, inMs(60_000));
      expect(permits).toHaveLength(5);
      expect(permits[0]?.notBeforeMs).toBe(under.nowMs());
    });

    it('never lets two workers break the limit together, however they take turns', async () => {
      const permits: Permit[] = [];
      for (const [worker, count] of [
        [one, 7],
        [two, 1],
        [one, 3],
        [two, 12],
        [one, 1],
        [two, 8],
      ] as const) {
        permits.push(...(await worker.acquire('okki', TEN_A_SECOND, count, inMs(60_000))).permits);
        under.advance(37);
      }
      expect(permits).toHaveLength(32);
      expect(mayBreak(permits, TEN_A_SECOND)).toBe(false);
    });

    it('never lets 20 leases taken at the same moment break the limit', async () => {
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? one : two).acquire('okki', TEN_A_SECOND, 3, inMs(60_000)),
        ),
      );
      const permits = leases.flatMap((lease) => lease.permits);
      expect(permits.length).toBeGreaterThanOrEqual(30);
      expect(mayBreak(permits, TEN_A_SECOND)).toBe(false);
    });

    it('leases only what starts before the deadline, and says when to ask again', async () => {
      const { permits, retryAtMs } = await one.acquire('okki', TEN_A_SECOND, 100, inMs(500));
      expect(permits.length).toBeGreaterThan(0);
      expect(permits.length).toBeLessThan(7);
      for (const { notBeforeMs } of permits) expect(notBeforeMs).toBeLessThan(inMs(500));
      expect(retryAtMs).toBeGreaterThanOrEqual(inMs(500));
      expect((await two.acquire('okki', TEN_A_SECOND, 1, retryAtMs)).permits).toEqual([]);
      // The log is kept in steps of some ms, the later side.
      const later = await two.acquire('okki', TEN_A_SECOND, 1, retryAtMs + 10);
      expect(later.permits[0]?.notBeforeMs).toBeGreaterThanOrEqual(retryAtMs);
    });

    it('holds every worker during a pause', async () => {
      await one.pause('okki', inMs(300_000), 'status 429');
      const untilMs = inMs(300_000);
      for (const worker of [one, two]) {
        const { permits, retryAtMs } = await worker.acquire('okki', TEN_A_SECOND, 3, inMs(10_000));
        expect(permits).toEqual([]);
        expect(retryAtMs).toBe(untilMs);
      }
      const { permits } = await two.acquire('okki', TEN_A_SECOND, 1, inMs(600_000));
      expect(permits[0]?.notBeforeMs).toBe(untilMs);
    });

    it('never shortens a pause', async () => {
      const untilMs = inMs(300_000);
      await one.pause('okki', untilMs, 'status 429');
      await two.pause('okki', inMs(1_000), 'status 429');
      expect((await one.acquire('okki', TEN_A_SECOND, 1, inMs(600_000))).permits[0]?.notBeforeMs).toBe(untilMs);
      await one.pause('okki', untilMs + 5_000, 'status 429');
      expect((await two.acquire('okki', TEN_A_SECOND, 1, inMs(600_000))).permits[0]?.notBeforeMs).toBe(untilMs + 5_000);
    });

    it('ends a pause where it is told to, and forgets nothing that was leased', async () => {
      await one.endPause('okki');
      expect(await one.pauseOf('okki')).toBeUndefined();
      const first = await one.acquire('okki', TEN_A_SECOND, 30, inMs(60_000));
      await one.pause('okki', inMs(300_000), 'status 429');
      await one.pause('crm', inMs(300_000), 'status 429');
      await two.endPause('okki');
      expect(await one.pauseOf('okki')).toBeUndefined();
      expect(await one.pauseOf('crm')).toBeDefined();
      const second = await two.acquire('okki', TEN_A_SECOND, 10, inMs(60_000));
      expect(second.permits).toHaveLength(10);
      expect(mayBreak([...first.permits, ...second.permits], TEN_A_SECOND)).toBe(false);
    });

    it('says until when a connection is paused and why, by whoever asked for the longest pause', async () => {
      expect(await one.pauseOf('okki')).toBeUndefined();
      const untilMs = inMs(60_000);
      await one.pause('okki', untilMs, 'status 429');
      await two.pause('okki', inMs(1_000), 'status 503');
      expect(await two.pauseOf('okki')).toEqual({ untilMs, why: 'status 429' });
      expect(await two.pauseOf('crm')).toBeUndefined();
      await one.acquire('okki', TEN_A_SECOND, 1, inMs(120_000));
      expect(await two.pauseOf('okki')).toEqual({ untilMs, why: 'status 429' });
      under.advance(60_000);
      expect(await one.pauseOf('okki')).toBeUndefined();
    });

    it('does not believe a pause that a clock hours ahead has written, and puts a true one in its place', async () => {
      const hoursMs = 10 * 3_600_000;
      under.advance(hoursMs);
      await one.pause('okki', inMs(30_000), 'status 429');
      under.advance(-hoursMs);
      expect(await two.pauseOf('okki')).toBeUndefined();
      expect((await two.acquire('okki', undefined, 1, inMs(1_000))).permits).toHaveLength(1);
      expect(await two.pause('okki', inMs(60_000), 'status 503')).toBe(60_000);
      expect(await one.pauseOf('okki')).toEqual({ untilMs: inMs(60_000), why: 'status 503' });
      await one.pause('okki', inMs(30_000), 'status 429');
      expect(await two.pauseOf('okki')).toEqual({ untilMs: inMs(60_000), why: 'status 503' });
    });

    it('believes a pause of a day that a clock some minutes ahead has written', async () => {
      under.advance(300_000);
      await one.pause('okki', inMs(24 * 3_600_000), 'status 429');
      under.advance(-300_000);
      expect(await two.pauseOf('okki')).toMatchObject({ why: 'status 429' });
    });

    it('says by how long a pause became longer, so that added up no moment counts twice', async () => {
      const gains = [
        await one.pause('okki', inMs(10_000), 'status 429'),
        await two.pause('okki', inMs(10_000), 'status 429'),
        await two.pause('okki', inMs(4_000), 'status 429'),
        await one.pause('okki', inMs(13_000), 'status 429'),
      ];
      under.advance(20_000);
      gains.push(await two.pause('okki', inMs(5_000), 'status 429'));
      expect(gains).toEqual([10_000, 0, 0, 3_000, 5_000]);
    });

    it('does not forget what was leased before a pause', async () => {
      const first = await one.acquire('okki', TEN_A_SECOND, 30, inMs(60_000));
      await two.pause('okki', inMs(1), 'status 429');
      under.advance(2);
      const second = await two.acquire('okki', TEN_A_SECOND, 30, inMs(60_000));
      expect(mayBreak([...first.permits, ...second.permits], TEN_A_SECOND)).toBe(false);
    });

    it('goes on after a pause that began before the first lease', async () => {
      await one.pause('okki', inMs(1_000), 'status 429');
      under.advance(1_000);
      expect((await one.acquire('okki', TEN_A_SECOND, 1, inMs(1))).permits).toHaveLength(1);
    });

    it('keeps connections apart', async () => {
      await one.pause('okki', inMs(300_000), 'status 429');
      expect((await one.acquire('crm', TEN_A_SECOND, 1, inMs(1_000))).permits).toHaveLength(1);
    });

    it('counts what was granted under another limit as granted under this one', async () => {
      const { permits } = await one.acquire('okki', TEN_A_SECOND, 5, inMs(60_000));
      const slow = await two.acquire('okki', { requests: 1, intervalMs: 60_000 }, 2, inMs(600_000));
      const lastMs = permits.at(-1)?.untilMs ?? 0;
      expect(slow.permits[0]?.notBeforeMs).toBeGreaterThanOrEqual(lastMs + 60_000);
    });

    it('leaves nobody at rest waiting: unused time gives no burst', async () => {
      await one.acquire('okki', TEN_A_SECOND, 1, inMs(1_000));
      under.advance(3_600_000);
      const { permits } = await one.acquire('okki', TEN_A_SECOND, 30, inMs(60_000));
      expect(permits[0]?.notBeforeMs).toBe(under.nowMs());
      expect(mayBreak(permits, TEN_A_SECOND)).toBe(false);
    });

    describe('for requests that have come', () => {
      const A_MINUTE: RateLimit = { requests: 60, intervalMs: 60_000 };
      const come = (due: number, fresh: number, worker = one) =>
        worker.receive('okki', A_MINUTE, { due, fresh, together: 50 }, inMs(2_000));

      it('gives permits to a block, and all others an appointment, a block later and by the block', async () => {
        const { permits, appointments } = await come(0, 65);
        expect(permits).toHaveLength(20);
        expect(appointments).toHaveLength(45);
        const [first = 0, ...others] = new Set(appointments);
        expect(first).toBeGreaterThanOrEqual(inMs(20_000));
        // One of a block more than it has permits for.
        expect(appointments.filter((dueMs) => dueMs === first)).toHaveLength(21);
        expect(others.map((dueMs) => Math.round((dueMs - first) / 1_000))).toEqual([20, 41]);
      });

      it('gives permits to those who come when they are due', async () => {
        const { appointments } = await come(0, 65);
        const dueMs = appointments[0] ?? 0;
        under.advance(dueMs - under.nowMs() + 300);
        const { permits, appointments: again } = await come(21, 0, two);
        expect(permits).toHaveLength(20);
        expect(again).toHaveLength(1);
        expect(again[0]).toBeGreaterThanOrEqual(appointments.at(-1) ?? 0);
      });

      it('lets nobody without an appointment in before those who stand in line', async () => {
        await one.book('okki', A_MINUTE, 60, inMs(890_000));
        const { permits, appointments } = await come(2, 3, two);
        expect(permits).toHaveLength(2);
        expect(appointments).toHaveLength(3);
      });

      it('gives no more permits than are asked for at once, and books nobody while there are some', async () => {
        const received = await one.receive('okki', A_MINUTE, { due: 9, fresh: 0, together: 4 }, inMs(2_000));
        expect(received).toMatchObject({ appointments: [] });
        expect(received.permits).toHaveLength(4);
      });

      it('gives during a pause appointments after it', async () => {
        const untilMs = inMs(300_000);
        await one.pause('okki', untilMs, 'status 429');
        const { permits, appointments } = await come(3, 1, two);
        expect(permits).toEqual([]);
        expect(appointments).toHaveLength(4);
        for (const dueMs of appointments) expect(dueMs).toBeGreaterThanOrEqual(untilMs);
      });
    });

    describe('for requests that are still to come', () => {
      const A_MINUTE: RateLimit = { requests: 60, intervalMs: 60_000 };

      it('books as long as the line ends in time, each worker behind the other', async () => {
        const first = await one.book('okki', A_MINUTE, 100, inMs(890_000));
        expect(first.appointments).toHaveLength(100);
        const second = await two.book('okki', A_MINUTE, 2_000, inMs(890_000));
        const all = [...first.appointments, ...second.appointments];
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        expect(all.length).toBeGreaterThan(850);
        expect(all.at(-1)).toBeLessThan(inMs(890_000));
        expect(second.endMs).toBeGreaterThanOrEqual(inMs(890_000));
        expect((await one.book('okki', A_MINUTE, 100, inMs(890_000))).appointments).toEqual([]);
      });

      it('begins anew under another limit', async () => {
        await one.book('okki', A_MINUTE, 2_000, inMs(890_000));
        const faster = await two.book('okki', { requests: 600, intervalMs: 60_000 }, 100, inMs(890_000));
        expect(faster.appointments[0]).toBeLessThan(inMs(10_000));
      });

      it('without a limit has them come at once, or as a pause ends', async () => {
        const { appointments } = await one.book('crm', undefined, 3, inMs(890_000));
        expect(appointments).toEqual([under.nowMs(), under.nowMs(), under.nowMs()]);
        const untilMs = inMs(60_000);
        await one.pause('crm', untilMs, 'status 429');
        expect((await one.book('crm', undefined, 2, inMs(890_000))).appointments).toEqual([untilMs, untilMs]);
        expect((await one.book('crm', undefined, 2, inMs(10_000))).appointments).toEqual([]);
      });
    });

    describe('without a limit', () => {
      it('leases everything at once, good until the deadline', async () => {
        const { permits } = await one.acquire('okki', undefined, 100, inMs(1_000));
        expect(permits).toEqual(
          Array.from({ length: 100 }, () => ({ notBeforeMs: under.nowMs(), untilMs: inMs(1_000) })),
        );
      });

      it("minds a pause: its own at once, another worker's within a second", async () => {
        await one.acquire('okki', undefined, 1, inMs(1_000));
        await two.acquire('okki', undefined, 1, inMs(1_000));
        await one.pause('okki', inMs(60_000), 'status 429');
        const untilMs = inMs(60_000);
        expect(await one.acquire('okki', undefined, 1, inMs(1_000))).toEqual({ permits: [], retryAtMs: untilMs });
        under.advance(1_000);
        expect(await two.acquire('okki', undefined, 1, inMs(1_000))).toEqual({ permits: [], retryAtMs: untilMs });
        expect(await two.receive('okki', undefined, { due: 0, fresh: 2, together: 2 }, inMs(1_000))).toEqual({
          permits: [],
          appointments: [],
          retryAtMs: untilMs,
        });
        under.advance(59_000);
        expect((await two.acquire('okki', undefined, 1, inMs(1_000))).permits).toHaveLength(1);
      });
    });
  });
};
