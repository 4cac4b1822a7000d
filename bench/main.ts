import { benchExtract } from './extract.ts';
import { benchJourney } from './journey.ts';
import { benchLoader } from './loader.ts';
import { benchPrice } from './price.ts';
import { benchReconcile } from './scale.ts';
import { benchUnchanged } from './unchanged.ts';
import { benchWaiting } from './waiting.ts';
import { benchWeight } from './weight.ts';

type Bench = (args: readonly string[]) => Promise<void>;

/** What can be measured; each prints its tables as Markdown, fit for docs/benchmarks.md. */
const benches: Readonly<Record<string, Bench>> = {
  extract: benchExtract,
  reconcile: benchReconcile,
  loader: benchLoader,
  unchanged: benchUnchanged,
  journey: benchJourney,
  price: benchPrice,
  waiting: benchWaiting,
  weight: benchWeight,
};

const usage = `Usage: npm run bench                        all of them, about ten minutes
       npm run bench -- NAME                one of ${Object.keys(benches).join(', ')}
       npm run bench -- journey RECORDS…    with so many records
       npm run bench -- price LIMIT         under a rate limit such as 60/60s
`;

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  for (const [each, bench] of Object.entries(benches)) {
    process.stdout.write(`## ${each}\n\n`);
    await bench([]);
  }
} else if (Object.hasOwn(benches, name)) {
  await benches[name]?.(args);
} else {
  process.stderr.write(usage);
  process.exitCode = 2;
}
