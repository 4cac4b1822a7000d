import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { takeDataDir } from '../../local/stack/data-dir.ts';
import { groups, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, program } from './program.ts';

const INTEGRATION = new URL('../../integrations/okki-product-groups-to-qingyiyun.json', import.meta.url);
const noStackTrace = /\n\s+at /;

describe('what cannot be done is said in words, with exit 2', { timeout: 90_000 }, () => {
  test('an integration that does not exist: the ones that do are named', async () => {
    const { code, stderr, stdout } = await program(['run', '--integration', 'okki-customers', '--data-dir', newDir()]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('okki-customers');
    expect(stderr).toContain('okki-product-groups-to-crm');
    expect(stderr).not.toMatch(noStackTrace);
  });

  test('a command that does not exist: the ones that do are named', async () => {
    const { code, stderr, stdout } = await program(['stauts', 'last']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/"stauts".*status/);
  });

  test('a number that means nothing', async () => {
    const { code, stderr, stdout } = await program(['dlq', 'replay', '--rate', 'fast', '--data-dir', newDir()]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/--rate/);
    expect(stderr).not.toMatch(noStackTrace);
  });

  test('a file of groups that does not exist, and a fault that does not', async () => {
    const none = await program(['run', '--groups', '/no/such/file', '--data-dir', newDir()]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('/no/such/file');
    const fault = await program(['run', '--fault', 'target-sulks', '--data-dir', newDir()]);
    expect(fault.code).toBe(2);
    expect(fault.stderr).toContain('target-sulks');
    expect(none.stderr + fault.stderr).not.toMatch(noStackTrace);
  });

  test('every fault of an integration file at once, each with its path', async () => {
    const file = join(newDir(), 'faulty.json');
    const integration = JSON.parse(readFileSync(INTEGRATION, 'utf8'));
    delete integration.target.onUncertain;
    integration.source.paging.pageSize = -5;
    integration.target.conection = {};
    integration.deadlineMinutes = 'soon';
    writeFileSync(file, JSON.stringify(integration));
    const { code, stderr } = await program(['run', '--integration', file, '--data-dir', newDir()]);
    expect(code).toBe(2);
    for (const path of ['target.onUncertain', 'source.paging.pageSize', 'conection', 'deadlineMinutes']) {
      expect(stderr).toContain(path);
    }
    expect(stderr).not.toMatch(noStackTrace);
  });

  test('a base URL without the credentials that go with it: the variables are named, and nothing is discarded', async () => {
    const dir = newDir();
    mkdirSync(join(dir, 'tables'));
    writeFileSync(join(dir, 'tables', 'kept'), '');
    const { code, stderr } = await program(['run', '--fresh', '--data-dir', dir], {
      OKKI_BASE_URL: 'http://127.0.0.1:9',
      QINGYIYUN_BASE_URL: 'http://127.0.0.1:9',
    });
    expect(code).toBe(2);
    expect(stderr).toContain('OKKI_CLIENT_ID');
    expect(stderr).toContain('OKKI_CLIENT_SECRET');
    expect(existsSync(join(dir, 'tables', 'kept'))).toBe(true);
  });

  test('one address alone: both variables are named, what looks misspelt is pointed out, nothing is sent', async () => {
    const target = await startOwnTarget();
    onTestFinished(() => target.close());
    const env = { ...targetEnv(target), OKKI_BASEURL: 'http://127.0.0.1:9' };
    const { code, stderr, stdout } = await program(['run', '--data-dir', newDir()], env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const words of ['QINGYIYUN_BASE_URL', 'OKKI_BASE_URL', '--sandbox source', 'OKKI_BASEURL is set']) {
      expect(stderr).toContain(words);
    }
    expect(stderr).not.toMatch(noStackTrace);
    expect(target.requests).toEqual([]);
  });

  test('a fault that is meant for the sandbox, by two systems of their own', async () => {
    const own = { ...sourceEnv({ url: 'http://127.0.0.1:9' }), ...targetEnv({ url: 'http://127.0.0.1:9' }) };
    const { code, stderr } = await program(['run', '--fault', 'target-500', '--data-dir', newDir()], own);
    expect(code).toBe(2);
    expect(stderr).toContain('--fault target-500');
  });

  test('a limit that is none: before anything starts', async () => {
    const { code, stderr } = await program(['run', '--data-dir', newDir()], { QINGYIYUN_RATE_LIMIT: '60/min' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/60\/60s.*QINGYIYUN_RATE_LIMIT/);
  });

  test('a data directory that cannot be made', async () => {
    const file = join(newDir(), 'a-file');
    writeFileSync(file, '');
    const { code, stderr } = await program(['run', '--data-dir', join(file, 'data')]);
    expect(code).toBe(2);
    expect(stderr).toContain(join(file, 'data'));
    expect(stderr).not.toMatch(noStackTrace);
  });

  test('a data directory whose content is damaged: what to do is said, and --fresh mends it', async () => {
    const dir = newDir();
    mkdirSync(join(dir, 'queues'));
    writeFileSync(join(dir, 'queues', 'fauxqs.db'), 'this is no database');
    const damaged = await program(['run', '--data-dir', dir]);
    expect(damaged.code).toBe(2);
    expect(damaged.stderr).toContain('--fresh');
    expect(damaged.stderr).not.toMatch(noStackTrace);
    const groupsFile = join(dir, 'groups.json');
    writeFileSync(groupsFile, JSON.stringify(groups(3)));
    const mended = await program(['run', '--fresh', '--groups', groupsFile, '--data-dir', dir]);
    expect(mended.code).toBe(0);
  });

  test('a data directory that another process holds: with --fresh, too, nothing in it is touched', async () => {
    const dir = newDir();
    const held = takeDataDir(dir, { fresh: false });
    onTestFinished(() => held.release());
    const kept = ['sandbox-target.jsonl', 'queues/kept', 'tables/kept'].map((name) => join(dir, name));
    for (const file of kept) writeFileSync(file, '');
    const { code, stderr, stdout } = await program(['run', '--fresh', '--data-dir', dir]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('in use');
    expect(stderr).toContain(String(process.pid));
    expect(kept.filter(existsSync)).toEqual(kept);
  });
});

test('--sandbox keeps what one end of the sandbox makes apart from what two real systems did', async () => {
  const source = await startOwnSource({ rows: groups(2) });
  onTestFinished(() => source.close());
  const dir = newDir();
  const args = ['run', '--json', '--data-dir', dir];
  const first = await program(args, {});
  const { code, stdout, stderr } = await program([...args, '--sandbox', 'target'], sourceEnv(source));
  expect([first.code, code]).toEqual([0, 0]);
  expect(JSON.parse(stdout)).toMatchObject({ counts: { fetched: 2, loaded: 2 } });
  expect(stderr).toContain(join(dir, 'sandbox-target'));
}, 90_000);
