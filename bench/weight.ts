import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { firstInvocations, type Invoked } from './first-invocation.ts';
import { grouped, markdownTable } from './markdown.ts';

const projectDir = path.resolve(import.meta.dirname, '..');
const ROUNDS = 15;
const FUNCTIONS = ['fetch', 'load', 'replay', 'reconcile'] as const;
const plugins = createRequire(import.meta.url)('../serverless/esbuild-plugins.cjs') as Plugin[];

/** As serverless.yml bundles (custom.esbuild), but for `splitting` and `plugins`. */
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

const named = (wanted: string): Plugin[] => plugins.filter(({ name }) => name === wanted);

/** As serverless.yml bundles a function. */
const packaged = (name: string) => ({ entryPoints: [`functions/${name}.ts`], splitting: true, plugins });

/** What a bundle is compared with: the two AWS clients with one command each, and none of our code. */
const twoClients = {
  stdin: {
    contents: `
      import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
      import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
      export const handler = [DynamoDBClient, SQSClient, PutItemCommand, SendMessageBatchCommand];
    `,
    resolveDir: projectDir,
    sourcefile: 'clients.js',
  },
};

type Built = { name: string; file: string; startBytes: number; startFiles: number; laterBytes: number };

/** The entry's file and everything that it imports statically: what Node reads before the handler exists. */
const readAtStart = (outputs: Metafile['outputs'], entry: string): Set<string> => {
  const files = new Set([entry]);
  for (const file of files) {
    for (const { path: imported, kind, external } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && !external) files.add(imported);
    }
  }
  return files;
};

const bundle = async (dir: string, name: string, options: BuildOptions): Promise<Built> => {
  const outdir = path.join(dir, name.replaceAll(/\W+/g, '-'));
  const { outputs } = (await build({ ...shared, ...options, outdir, metafile: true })).metafile;
  // A module that is imported dynamically is an entry point as well: the first one asked for is ours.
  const asked = Array.isArray(options.entryPoints) ? String(options.entryPoints[0]) : 'clients.js';
  const entry = Object.keys(outputs).find((file) => outputs[file]?.entryPoint === asked);
  if (entry === undefined) throw new Error(`esbuild wrote no entry for ${name}`);
  const atStart = readAtStart(outputs, entry);
  const bytesOf = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);
  const startBytes = bytesOf(atStart);
  return {
    name,
    file: path.resolve(projectDir, entry),
    startBytes,
    startFiles: atStart.size,
    laterBytes: bytesOf(Object.keys(outputs)) - startBytes,
  };
};

type ImportTime = { wallMs: number; processorMs: number };

/** How long a new process takes to import the bundle. Processor time hardly minds what else the machine does. */
const importTime = async (file: string): Promise<ImportTime> => {
  const script = `
    const began = performance.now();
    const used = process.cpuUsage();
    await import(${JSON.stringify(file)});
    const { user, system } = process.cpuUsage(used);
    console.log(JSON.stringify({ wallMs: performance.now() - began, processorMs: (user + system) / 1000 }));
  `;
  const env = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  const args = ['--input-type=module', '--eval', script];
  return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout) as ImportTime;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Time to import each, in turns, so that whatever else the machine does falls on all of them alike. */
const importTable = async (built: readonly Built[]): Promise<string> => {
  const times = new Map(built.map(({ name }) => [name, [] as ImportTime[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, file } of built) times.get(name)?.push(await importTime(file));
  }
  const medianOf = (name: string, kind: keyof ImportTime) => median((times.get(name) ?? []).map((time) => time[kind]));
  const base = built[0]?.name ?? '';
  return markdownTable(
    ['bundle', 'bytes at start', 'in files', 'bytes later', 'ms to import', 'ratio', 'ms of processor', 'ratio'],
    built.map(({ name, startBytes, startFiles, laterBytes }) => [
      name,
      grouped(startBytes),
      String(startFiles),
      laterBytes > 0 ? grouped(laterBytes) : '',
      ...(['wallMs', 'processorMs'] as const).flatMap((kind) => {
        const ms = medianOf(name, kind);
        return [ms.toFixed(0), (ms / medianOf(base, kind)).toFixed(2)];
      }),
    ]),
  );
};

/** Bytes at the start of `load` that a package makes. */
const partTable = async (dir: string): Promise<string> => {
  const parts: Record<string, readonly string[]> = {
    'Powertools logger and metrics, middy': [
      '@aws-lambda-powertools/logger',
      '@aws-lambda-powertools/metrics',
      '@middy/core',
    ],
    'zod/mini': ['zod'],
  };
  const whole = await bundle(dir, 'whole', packaged('load'));
  const rows: string[][] = [];
  for (const [name, packages] of Object.entries(parts)) {
    const external = packages.flatMap((each) => [each, `${each}/*`]);
    const { startBytes } = await bundle(dir, `without ${name}`, { ...packaged('load'), external });
    rows.push([name, grouped(whole.startBytes - startBytes)]);
  }
  return markdownTable(['part of `load` at start', 'bytes'], rows);
};

/** What the first event in a new process waits for: the import, and what is loaded and opened only then. */
const firstInvocationTable = async (dir: string): Promise<string> => {
  const unchecked = plugins.filter((plugin) => plugin.name !== 'packaged-integrations');
  const invoked: Invoked[] = [];
  for (const [name, event] of [
    ['load', 'record'],
    ['fetch', 'schedule'],
  ] as const) {
    const variants: Record<string, BuildOptions> = {
      [name]: packaged(name),
      [`${name}, integration files checked at start`]: { ...packaged(name), plugins: unchecked },
      [`${name}, in one file`]: { ...packaged(name), splitting: false },
    };
    for (const [variant, options] of Object.entries(variants)) {
      invoked.push({ name: variant, file: (await bundle(dir, variant, options)).file, event });
    }
  }
  const taken = await firstInvocations(invoked, ROUNDS);
  return markdownTable(
    ['bundle', 'ms to import', 'ms for the first event', 'ms for both', 'ms of processor'],
    [...taken].map(([name, each]) => [
      name,
      median(each.map(({ importMs }) => importMs)).toFixed(0),
      median(each.map(({ handleMs }) => handleMs)).toFixed(0),
      median(each.map(({ importMs, handleMs }) => importMs + handleMs)).toFixed(0),
      median(each.map(({ processorMs }) => processorMs)).toFixed(0),
    ]),
  );
};

/** Size and load time of each function's bundle, against the two AWS clients alone, and of what was tried. */
export const benchWeight = async (): Promise<void> => {
  const dir = mkdtempSync(path.join(tmpdir(), 'okki-bench-weight-'));
  try {
    writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
    const built = [
      await bundle(dir, 'the two clients alone', twoClients),
      await bundle(dir, 'the two clients alone, bundled as ours', {
        ...twoClients,
        splitting: true,
        plugins: named('lambda-credentials'),
      }),
    ];
    for (const name of FUNCTIONS) built.push(await bundle(dir, name, packaged(name)));
    const chain = plugins.filter(({ name }) => name !== 'lambda-credentials');
    built.push(await bundle(dir, 'load, with all credential providers', { ...packaged('load'), plugins: chain }));
    built.push(await bundle(dir, 'load, in one file', { ...packaged('load'), splitting: false }));
    built.push(await bundle(dir, 'load, not minified', { ...packaged('load'), minify: false }));
    process.stdout.write(
      [
        `Node ${process.version}; medians of ${ROUNDS} new processes each, in turns.`,
        await importTable(built),
        await partTable(dir),
        await firstInvocationTable(dir),
        '',
      ].join('\n\n'),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};
