import { benchExtract } from './extract.ts';
import { benchLoader } from './loader.ts';
import { benchWeight } from './weight.ts';

/** What can be measured; each prints its tables as Markdown, fit for docs/benchmarks.md. */
const benches: Readonly<Record<string, () => Promise<void>>> = {
  extract: benchExtract,
  loader: benchLoader,
  weight: benchWeight,
};

const name = process.argv[2] ?? '';
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME, where NAME is one of: ${Object.keys(benches).join(', ')}\n`);
  process.exitCode = 2;
} else {
  await bench();
}
