import { inflateRawSync } from 'node:zlib';

const centralDirectoryEnd = 0x06054b50;
const centralDirectoryEntry = 0x02014b50;

/** One file of an archive. */
export type ZippedFile = { sizeBytes: number; content: () => Buffer };

/** The files of a zip archive by name (APPNOTE.TXT §4.3; stored or deflated, no zip64). Throws where it is not one. */
export const readZip = (archive: Buffer): Map<string, ZippedFile> => {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt32LE(end) !== centralDirectoryEnd) throw new Error('not a zip archive');
  const files = new Map<string, ZippedFile>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (archive.readUInt32LE(at) !== centralDirectoryEntry) throw new Error('broken zip directory');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    ) as [number, number, number];
    const entry = {
      method: archive.readUInt16LE(at + 10),
      compressedBytes: archive.readUInt32LE(at + 20),
      headerAt: archive.readUInt32LE(at + 42),
    };
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    files.set(name, { sizeBytes: archive.readUInt32LE(at + 24), content: () => unpack(archive, entry) });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
};

type Entry = { method: number; compressedBytes: number; headerAt: number };

const unpack = (archive: Buffer, { method, compressedBytes, headerAt }: Entry): Buffer => {
  const start = headerAt + 30 + archive.readUInt16LE(headerAt + 26) + archive.readUInt16LE(headerAt + 28);
  const bytes = archive.subarray(start, start + compressedBytes);
  return method === 0 ? bytes : inflateRawSync(bytes);
};
