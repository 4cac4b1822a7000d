import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isScalar, type Node, Pair, parseDocument, visit, YAMLMap } from 'yaml';
import { ServiceFileError } from './errors.ts';

/** A mapping of the service file as it was read, variables and intrinsic functions not yet resolved. */
export type RawMap = { [key: string]: unknown };

/** Whether a value of the service file is a mapping. */
export const isRawMap = (value: unknown): value is RawMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads `serverless.yml` of a service; CloudFormation's short tags (`!Ref X`) come in their long form (`{Ref: X}`),
 * so that both spellings are one thing from here on. Throws ServiceFileError where the file is missing or not YAML.
 */
export function readServiceFile(serviceDir: string): RawMap {
  const root = parseServiceFile(readText(join(serviceDir, 'serverless.yml')));
  if (!Array.isArray(root.resources)) return root;
  return { ...root, resources: root.resources.map((part: unknown) => includedPart(part, serviceDir)) };
}

/** A part of the resources that lies in another YAML file. A part that a program makes stays the text that it is. */
function includedPart(part: unknown, serviceDir: string): unknown {
  const [, name] = /^\$\{file\(([^)]+\.yml)\)\}$/.exec(String(part)) ?? [];
  const file = name === undefined ? undefined : join(serviceDir, name);
  return file !== undefined && existsSync(file) ? parseServiceFile(readText(file)) : part;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ServiceFileError('(file)', `cannot be read at ${file}`, { cause });
  }
}

/** The pure part of `readServiceFile`. */
export function parseServiceFile(text: string): RawMap {
  const document = parseDocument(text);
  const fault = document.errors[0];
  if (fault !== undefined) throw new ServiceFileError('(file)', fault.message, { cause: fault });
  visit(document, {
    Node(_key, node) {
      const tag = node.tag;
      if (tag === undefined || !tag.startsWith('!')) return undefined;
      delete node.tag;
      return longForm(tag, node);
    },
  });
  const root: unknown = document.toJS();
  if (!isRawMap(root)) throw new ServiceFileError('(file)', 'is not a mapping');
  return root;
}

function longForm(tag: string, node: Node): YAMLMap {
  const key = tag === '!Ref' || tag === '!Condition' ? tag.slice(1) : `Fn::${tag.slice(1)}`;
  // An untagged plain scalar is read as a number or boolean where it looks like one; a tagged one is text.
  if (isScalar(node) && typeof node.value !== 'string') node.value = node.source ?? '';
  const map = new YAMLMap();
  map.add(new Pair(key, node));
  return map;
}
