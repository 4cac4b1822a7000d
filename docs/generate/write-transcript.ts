import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chooseIntegration, SERVICE_DIR } from '../../cli/input/integration-choice.ts';
import { startEmbedded } from '../../cli/stack/embedded.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { sides } from '../../lib/runs/ends.ts';
import { parseFault } from '../../local/sandbox/sandbox.ts';

// Writes docs/transcript.md: a day on which three records are refused, two are uncertain and one message is stolen,
// told by the commands that an operator types. Every block of output is what the command printed.

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const DOCUMENT = join(SERVICE_DIR, 'docs', 'transcript.md');

const NAME = 'a-day';
const GROUPS = [
  '灯具',
  '室内照明',
  '吸顶灯',
  '吊灯',
  '台灯',
  '户外照明',
  '路灯',
  '草坪灯',
  '电源',
  '驱动电源',
  '开关',
  '插座',
];
const groups = GROUPS.map((name, index) => ({ id: 5_203_300_101 + index, parent_id: 0, name }));
const [refusedIds, appliedId, droppedId] = [['5203300102', '5203300104', '5203300107'], '5203300105', '5203300109'];
const DEADLINE_MINUTES = 1;

const workDir = mkdtempSync(join(tmpdir(), 'okki-sync-transcript-'));
const document: string[] = [];
const say = (...lines: string[]) => {
  document.push(...lines, '');
  process.stderr.write(`${lines.join('\n')}\n`);
};

/** Runs a command as an operator would, and keeps what it printed with its exit code. */
const command = async (...args: string[]): Promise<void> => {
  const shown = args.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(' ');
  const { output, exitCode } = await new Promise<{ output: string; exitCode: number }>((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd: workDir }, (error, stdout, stderr) => {
      const isRead = stdout.trim() !== '';
      resolve({ output: isRead ? stdout : stderr, exitCode: typeof error?.code === 'number' ? error.code : 0 });
    });
  });
  say('```console', `$ npm start -- ${shown}`, output.replace(/^\n+|\s+$/g, ''), `# exit ${exitCode}`, '```');
};

/** The first run, with a thief at the queue between its two halves. Returns the id of the stolen record. */
const runWithThief = async (integrationFile: string): Promise<string> => {
  const faults = [
    parseFault(`target-refuse:ids=${refusedIds.join(',')}`),
    parseFault(`target-commit-then-drop:ids=${appliedId}`),
    parseFault(`target-drop:ids=${droppedId}`),
  ];
  const run = { ...chooseIntegration(integrationFile), needs: sides, groups, faults };
  const { stack, stores, close } = await startEmbedded({ dataDir: join(workDir, '.local'), run });
  try {
    const scheduledTime = new Date().toISOString();
    await stack.invoke('fetch', { kind: 'schedule', integration: NAME, scheduledTime });
    const stolenId = await steal(stores.records);
    stack.startEventSources();
    while (!(await stack.drained())) await sleep(100);
    await stack.invoke('reconcile', { kind: 'reconcile' });
    return stolenId;
  } finally {
    await close();
  }
};

type Records = Awaited<ReturnType<typeof startEmbedded>>['stores']['records'];

/** Deletes one message that would have been loaded without trouble; the others are shown again. */
const steal = async (records: Records): Promise<string> => {
  const troubled = new Set([...refusedIds, appliedId, droppedId]);
  const received = await records.receive(10, 30);
  const others: string[] = [];
  let stolenId: string | undefined;
  for (const { handle, body } of received) {
    const read = readMessage(body);
    if (stolenId === undefined && read.kind === 'message' && !troubled.has(read.message.id)) {
      stolenId = read.message.id;
      await records.delete([handle]);
    } else {
      others.push(handle);
    }
  }
  await records.release(others, 1);
  if (stolenId === undefined) throw new Error('no message to steal');
  return stolenId;
};

const writeIntegration = (): string => {
  const shipped = join(SERVICE_DIR, 'integrations', 'okki-product-groups-to-qingyiyun.json');
  const content = JSON.parse(readFileSync(shipped, 'utf8')) as { target: object };
  const { $schema: _, ...rest } = content as { $schema?: string; target: object };
  const changed = {
    ...rest,
    name: NAME,
    deadlineMinutes: DEADLINE_MINUTES,
    target: { ...content.target, onUncertain: 'park' },
  };
  const file = join(workDir, `${NAME}.json`);
  writeFileSync(file, JSON.stringify(changed, null, 2));
  writeFileSync(join(workDir, 'groups.json'), JSON.stringify(groups));
  return file;
};

const on = ['--integration', `${NAME}.json`];

try {
  say('# A day with trouble');
  say(
    '[Runbook](runbook.md) · [运维手册](runbook.zh-CN.md)',
    '',
    'Twelve groups are synchronised. The target refuses three of them, two requests end without an answer (one was applied, the other was not), and somebody deletes one message from the queue. The integration is the shipped one to 轻易云 with `"onUncertain": "park"` and `"deadlineMinutes": 1`. Everything below was printed by the commands shown; `node docs/generate/write-transcript.ts` runs them again and writes this page.',
  );
  const stolenId = await runWithThief(writeIntegration());

  say('## The first run', '', 'Its books are drawn up while one record is still open: the message that was deleted.');
  await command('runs', ...on);
  await command('status', 'last', ...on);
  await command('dlq', 'list', ...on);

  say(
    '## After the deadline',
    '',
    'Reconciliation holds what the run sent against what idCheck knows. Nobody has ever claimed the open record, so the run does not balance, and the record is named.',
  );
  await sleep((DEADLINE_MINUTES * 60 + 2) * 1_000);
  await command('reconcile', ...on);
  await command('record', stolenId, ...on);

  say('## Mending', '', 'The target has been told to take the refused names. First look, then replay:');
  await command('dlq', 'show', refusedIds[0] ?? '');
  await command('dlq', 'replay', ...on, '--reason', 'rejected', '--dry-run');
  await command('dlq', 'replay', ...on, '--reason', 'rejected');
  say(
    `Of the two uncertain records the target has ${appliedId}, and ${droppedId} it has not. A person has looked, and says so:`,
  );
  await command('dlq', 'resolve', appliedId, ...on, '--loaded', '--why', 'found in the target', '--by', 'li');
  await command('dlq', 'resolve', droppedId, ...on, '--not-loaded', '--why', 'not in the target', '--by', 'li');

  say('## The next run', '', 'It compares the whole snapshot with idCheck, and sends what is missing: two records.');
  await command('run', ...on, '--groups', 'groups.json');
  say('Both runs balance now, the first one too: what it sent is loaded, by whichever message.');
  await command('runs', ...on);
  await command('record', appliedId, ...on);
  await command('dlq', 'list');
  writeFileSync(DOCUMENT, `${document.join('\n').trimEnd()}\n`);
} finally {
  rmSync(workDir, { recursive: true, force: true });
}
