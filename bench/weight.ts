import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build } from 'esbuild';
import { grouped, markdownTable } from './markdown.ts';

const projectDir = path.resolve(import.meta.dirname, '..');
const ROUNDS = 15;
const FUNCTIONS = ['fetch', 'load', 'replay', 'reconcile'] as const;

/** As serverless.yml bundles (custom.esbuild). */
const shared = {
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  outExtension: { '.js': '.mjs' },
  absWorkingDir: projectDir,
  logLevel: 'error',
} satisfies BuildOptions;

/** What a bundle is held against: the two clients with a command each, and nothing of ours. */
const twoClients = `
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
  export const handler = [DynamoDBClient, SQSClient, PutItemCommand, SendMessageBatchCommand];
`;

type Built = { name: string; file: string; bytes: number; chunkBytes: number };

const bundle = async (dir: string, name: string, options: BuildOptions): Promise<Built> => {
  const outdir = path.join(dir, name.replaceAll(/\W+/g, '-'));
  const { metafile } = await build({ ...shared, outdir, metafile: true, ...options });
  const outputs = Object.entries(metafile?.outputs ?? {});
  // A module that is imported dynamically is an entry point as well: the first one asked for is ours.
  const asked = Array.isArray(options.entryPoints) ? String(options.entryPoints[0]) : 'clients.js';
  const [entry, main] = outputs.find(([, { entryPoint }]) => entryPoint === asked) ?? [];
  if (entry === undefined || main === undefined) throw new Error(`esbuild wrote no entry for ${name}`);
  const all = outputs.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  return { name, file: path.resolve(projectDir, entry), bytes: main.bytes, chunkBytes: all - main.bytes };
};

/** How long a new process takes to import the bundle, in ms. */
const loadMs = async (file: string): Promise<number> => {
  const script = `const t=performance.now();await import(${JSON.stringify(file)});process.stdout.write(String(performance.now()-t))`;
  const env = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  const args = ['--input-type=module', '--eval', script];
  return Number((await promisify(execFile)(process.execPath, args, { env })).stdout);
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Size and load time of each function's bundle, against the two AWS clients alone, and of what was tried. */
export const benchWeight = async (): Promise<void> => {
  const dir = mkdtempSync(path.join(tmpdir(), 'okki-bench-weight-'));
  try {
    writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
    const entry = (name: string) => ({ entryPoints: [`functions/${name}.ts`] });
    const secretClients = ['@aws-sdk/client-ssm', '@aws-sdk/client-secrets-manager'];
    const logger = ['@aws-lambda-powertools/logger', '@aws-lambda-powertools/metrics', '@middy/core'];
    const built = [
      await bundle(dir, 'the two clients alone', {
        stdin: { contents: twoClients, resolveDir: projectDir, sourcefile: 'clients.js' },
      }),
    ];
    for (const name of FUNCTIONS) built.push(await bundle(dir, name, entry(name)));
    built.push(await bundle(dir, 'load, split', { ...entry('load'), splitting: true }));
    built.push(await bundle(dir, 'load, not minified', { ...entry('load'), minify: false }));
    const bytesWithout = async (name: string, external: readonly string[]) =>
      (await bundle(dir, name, { ...entry('load'), external: external.flatMap((each) => [each, `${each}/*`]) })).bytes;
    const without = [
      ['SSM and Secrets Manager clients', await bytesWithout('without secrets', secretClients)],
      ['Powertools logger and metrics, middy', await bytesWithout('without logger', logger)],
      ['zod/mini', await bytesWithout('without zod', ['zod'])],
      ['ky', await bytesWithout('without ky', ['ky'])],
      ['expr-eval-fork', await bytesWithout('without formulas', ['expr-eval-fork'])],
    ] as const;

    const times = new Map(built.map(({ name }) => [name, [] as number[]]));
    // In turns, so that whatever else the machine does falls on all of them alike.
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, file } of built) times.get(name)?.push(await loadMs(file));
    }
    const baseMs = median(times.get('the two clients alone') ?? []);
    const rows = built.map(({ name, bytes, chunkBytes }) => {
      const ms = median(times.get(name) ?? []);
      return [name, grouped(bytes), chunkBytes > 0 ? grouped(chunkBytes) : '', ms.toFixed(0), (ms / baseMs).toFixed(2)];
    });
    const loadBytes = built.find(({ name }) => name === 'load')?.bytes ?? 0;
    process.stdout.write(
      [
        `Node ${process.version}; medians of ${ROUNDS} new processes each, in turns.`,
        '',
        markdownTable(['bundle', 'bytes', 'in further files', 'ms to load', 'ratio'], rows),
        '',
        markdownTable(
          ['part of `load`', 'bytes'],
          without.map(([name, bytes]) => [name, grouped(loadBytes - bytes)]),
        ),
        '',
        '',
      ].join('\n'),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};
