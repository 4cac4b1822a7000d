import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { conditionFaults } from '../dialect/condition.ts';
import { isUnused, sourceKeys, targetKeys } from '../dialect/keys.ts';
import { otherResponseFindings } from '../dialect/other-response.ts';
import { everyField, type Requests, readRequest } from '../dialect/request-fields.ts';
import { slotsOf } from '../dialect/template.ts';
import { type FieldsAround, fieldFindings } from './fields.ts';
import { keyFindings, strangersIn } from './keys.ts';
import { type Finding, fault, warning } from './shape.ts';

/** The keys inside these keys. */
const innerKeys = [
  ['operation', ['method', 'rows', 'rowsKey', 'arrayKey']],
  ['pagination', ['pageSize']],
] as const;
const conditionKeys = ['field', 'logic', 'value', 'strictMode'];

const innerFindings = (block: JsonObject, path: FaultPath): Finding[] => {
  const groups = Array.isArray(block.condition) ? block.condition : [];
  return [
    ...innerKeys.flatMap(([key, known]) => strangersIn(block[key], known, [...path, key])),
    ...groups.flatMap((group, index) =>
      Array.isArray(group)
        ? group.flatMap((item, place) => strangersIn(item, conditionKeys, [...path, 'condition', index, place]))
        : [],
    ),
    ...otherResponseFindings(block.otherResponse).map(({ path: inner, expected }) =>
      warning([...path, 'otherResponse', ...inner], expected),
    ),
  ];
};

/** `{{a}}-{{b}}` or `a,b`: several fields, where the path of one is read. */
const isNoPath = (value: JsonValue | undefined): boolean => typeof value === 'string' && /[{},]/.test(value);

const sourceFindings = (block: JsonObject, path: FaultPath): Finding[] => {
  const { beatFlat } = block;
  const hasNameless = Array.isArray(beatFlat) && beatFlat.includes('');
  const severals = ['id', 'number'].filter((key) => isNoPath(block[key]));
  return [
    ...conditionFaults(isUnused(block.condition) ? undefined : block.condition).map(({ path: inner, expected }) =>
      fault([...path, 'condition', ...inner], expected),
    ),
    ...(hasNameless ? [fault([...path, 'beatFlat'], 'the names of child arrays')] : []),
    ...severals.map((key) => fault([...path, key], 'the path of one field: several are not put together to a key')),
  ];
};

/** Without a request these name keys of the body, and nothing fills them. */
const targetFindings = (block: JsonObject, path: FaultPath): Finding[] =>
  isUnused(block.request)
    ? ['id', 'number', 'name'].flatMap((key) =>
        typeof block[key] === 'string' && /[{}]/.test(block[key])
          ? [fault([...path, key], 'the key that it is written under: without request no template is filled')]
          : [],
      )
    : [];

/** What the check of the pasted blocks looks at. */
type Blocks = {
  raw: JsonValue;
  /** The file with what its blocks and profiles say filled in. */
  filled: JsonValue;
  requests: Requests;
};

const blockFindings = (side: 'source' | 'target', { raw, filled, requests }: Blocks): Finding[] => {
  const block = readPath(raw, `${side}.metadata`);
  if (!isJsonObject(block)) return [];
  const path = [side, 'metadata'];
  const kind = readPath(filled, 'source.paging.kind');
  const isSource = side === 'source';
  const around: FieldsAround = {
    place: side,
    path: [...path, 'request'],
    isPositional: kind === 'pageNumber' || kind === 'offset',
    areNames: isSource && readPath(filled, 'source.send.request.as') === 'names',
    raw,
  };
  const beside: FieldsAround = {
    ...around,
    place: isSource ? 'source' : 'adapter',
    path: [...path, 'otherRequest'],
    areNames: false,
  };
  return [
    ...keyFindings(block, isSource ? sourceKeys : targetKeys, path, raw),
    ...innerFindings(block, path),
    ...fieldFindings(requests[side].request, around),
    ...fieldFindings(requests[side].otherRequest, beside),
    ...(isSource ? sourceFindings(block, path) : targetFindings(block, path)),
  ];
};

/** The body of a deletion, which is written as a target's: of a record that is gone nothing is known but its id. */
const deletionFindings = (raw: JsonValue): Finding[] => {
  const fields = readRequest(readPath(raw, 'vanished.request'));
  const path = ['vanished', 'request'];
  const id = readPath(raw, 'source.metadata.id');
  const findings = fieldFindings(fields, { place: 'target', path, isPositional: false, areNames: false, raw });
  const strange = everyField(fields).flatMap((field) => {
    const other = slotsOf(field.template).find(({ of, name }) => of === 'field' && name !== id);
    return other === undefined || typeof id !== 'string'
      ? []
      : [
          fault(
            [...path, ...field.at, 'value'],
            `{{${id}}}, not {{${other.name}}}: of what is gone only the id is known`,
          ),
        ];
  });
  return [...findings, ...strange];
};

/** What of the pasted blocks, and of the body of a deletion, is not carried out: faults where records would come out otherwise, else warnings. */
export const findInBlocks = (blocks: Blocks): Finding[] => [
  ...blockFindings('source', blocks),
  ...blockFindings('target', blocks),
  ...deletionFindings(blocks.raw),
];
