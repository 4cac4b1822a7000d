/** 90 kB: a small integration, run every minute, must not leave megabytes behind each time. */
const BLOCK_HASHES = 4_096;

/**
 * Many texts of one length and of ASCII only, kept outside of the heap: a million hashes of 22 characters take 22 MB
 * and no work of the garbage collector, where strings take twice that and, with the collector's slack, four times.
 */
export type HashColumn = {
  /** Keeps a text and gives its place; undefined: it is of another length, or not ASCII. */
  add(hash: string): number | undefined;
  at(place: number): string;
};

const ASCII = /^[\x20-\x7e]*$/;

export const hashColumn = (length: number): HashColumn => {
  const blocks: Buffer[] = [];
  let count = 0;
  return {
    add: (hash) => {
      if (hash.length !== length || !ASCII.test(hash)) return undefined;
      const place = count++;
      const within = place % BLOCK_HASHES;
      if (within === 0) blocks.push(Buffer.allocUnsafeSlow(BLOCK_HASHES * length));
      blocks.at(-1)?.write(hash, within * length, 'latin1');
      return place;
    },
    at: (place) => {
      const from = (place % BLOCK_HASHES) * length;
      return blocks[Math.floor(place / BLOCK_HASHES)]?.toString('latin1', from, from + length) ?? '';
    },
  };
};
