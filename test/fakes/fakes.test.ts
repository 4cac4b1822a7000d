import { describe, expect, it } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import { answered, failed, fakeHttp, scriptedHttp } from './fake-http.ts';
import { seededRandom } from './seeded-random.ts';

describe('the fake clock', () => {
  it('stands still until it is moved, and wakes sleepers at their own time, in order', async () => {
    const clock = fakeClock(1_000);
    const log: string[] = [];
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms);
      log.push(`${name}@${clock.nowMs()}`);
    };
    void sleeper('late', 300);
    void sleeper('early', 100).then(() => sleeper('again', 50));
    void sleeper('tied', 300);
    await clock.advance(299);
    expect(log).toEqual(['early@1100', 'again@1150']);
    await clock.advance(1);
    expect(log.slice(2)).toEqual(['late@1300', 'tied@1300']);
    expect(clock.nowMs()).toBe(1_300);
    expect(clock.sleepers()).toBe(0);
  });

  it('runs until nobody sleeps, and gives up on what never ends', async () => {
    const clock = fakeClock(0);
    void clock.sleep(10).then(() => clock.sleep(90));
    await clock.runUntilIdle();
    expect(clock.nowMs()).toBe(100);
    void (async () => {
      for (;;) await clock.sleep(1_000);
    })();
    await expect(clock.runUntilIdle(60_000)).rejects.toThrow('still sleeping');
  });

  it('runs a task to its end, and says when the task waits for something else', async () => {
    const clock = fakeClock(0);
    expect(await clock.run(clock.sleep(5_000).then(() => clock.nowMs()))).toBe(5_000);
    await expect(clock.run(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(clock.run(new Promise(() => {}))).rejects.toThrow('not this clock');
  });
});

describe('seeded chance', () => {
  it('repeats itself for one seed and differs for another', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return [random.fraction(), random.fraction(), random.token(), random.token()];
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('is spread evenly over [0, 1)', () => {
    const random = seededRandom(3);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw++) {
      const tenth = Math.floor(random.fraction() * 10);
      tenths[tenth] = (tenths[tenth] ?? Number.NaN) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

describe('fake HTTP', () => {
  const request = { method: 'GET', url: 'http://okki.test/', headers: {}, timeoutMs: 1, maxAnswerBytes: 1 } as const;

  it('answers by its handler and remembers what was asked', async () => {
    const http = fakeHttp((_request, index) => answered(200, { index }));
    expect(await http.send(request)).toMatchObject({ kind: 'answered', status: 200, text: '{"index":0}' });
    expect(http.requests).toEqual([request]);
  });

  it('gives scripted answers in order and fails when asked once more', async () => {
    const http = scriptedHttp([answered(429, '', { 'retry-after': '1' }), failed('reset')]);
    expect(await http.send(request)).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(await http.send(request)).toMatchObject({ kind: 'failed', cause: 'reset' });
    await expect(http.send(request)).rejects.toThrow('unexpected request 3');
  });
});
