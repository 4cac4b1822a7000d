import type { LatencyServers } from './latency-servers.ts';
import type { LoaderBatch } from './loader-batch.ts';

/** Something that loads a batch of messages; `open` is called once per measured series. */
export type Loader = {
  name: string;
  /** As `NAME:HASHKEY:RANGEKEY`. */
  tables: readonly string[];
  open(servers: LatencyServers): Promise<{ load(batch: LoaderBatch): Promise<void>; close(): void }>;
  /** The batch's time, ms, if only the injected latencies took time and every call waited for what it needs. */
  idealMs(records: number): number;
};
