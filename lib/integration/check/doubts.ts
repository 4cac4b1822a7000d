import { isTypedSecret } from '../../connection/auth/params.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath, valueAt } from '../../json/path.ts';
import { type FaultPath, isSecretName } from '../../runtime/fault.ts';
import { suggestion } from '../../runtime/nearest.ts';
import {
  areElements,
  columnsIn,
  constantOf,
  everyField,
  isUnset,
  type RequestField,
  type Requests,
} from '../dialect/request-fields.ts';
import { slotsOf } from '../dialect/template.ts';
import { type Finding, fault, warning } from './shape.ts';

const targetPath: FaultPath = ['target', 'metadata', 'request'];

/** The fields of the record that a field's value takes. */
const takenBy = ({ template }: RequestField): string[] =>
  slotsOf(template).flatMap((slot) => (slot.of === 'field' ? [slot.name] : []));

/** The list of the record that an array field names as its value. */
const namedList = (field: RequestField): string | undefined => {
  if (field.type !== 'array' || isUnset(field)) return undefined;
  const constant = constantOf(field);
  return typeof constant === 'string' && field.parsers.length === 0 ? constant : takenBy(field)[0];
};

const takesRecord = (field: RequestField): boolean =>
  takenBy(field).length > 0 ||
  namedList(field) !== undefined ||
  (field.type === 'array' && field.children.length === 0 && isUnset(field));

/** Constants only: every record would be sent alike. */
const sameBody = (request: readonly RequestField[]): Finding[] =>
  request.length > 0 && !everyField(request).some(takesRecord)
    ? [
        warning(
          targetPath,
          'a field of the record, such as {{id}}, in some value: the same body is sent for every record',
        ),
      ]
    : [];

/** An array of children without a list is one element, whatever lists the record has. */
const listlessArrays = (request: readonly RequestField[]): Finding[] =>
  everyField(request).flatMap((field): Finding[] => {
    const { name, type, children, at } = field;
    if (type !== 'array' || children.length === 0 || areElements(children) || !isUnset(field)) return [];
    const isAddressed = everyField(children).some((child) =>
      takenBy(child).some((path) => path.startsWith(`${name}.`)),
    );
    return isAddressed
      ? []
      : [
          warning(
            [...targetPath, ...at],
            'the name of a list as its value: without one a single element is sent, and no list of the record',
          ),
        ];
  });

/** `{{detail_list.remark}}` where the block's list is `details_list`: nothing stands there. */
const unknownLists = (request: readonly RequestField[]): Finding[] => {
  const lists = everyField(request).flatMap((field) => namedList(field) ?? []);
  return everyField(request).flatMap((field) =>
    takenBy(field).flatMap((path): Finding[] => {
      const isKnown = lists.some((list) => path === list || path.startsWith(`${list}.`));
      const head = path.split('.')[0] ?? '';
      const meant = path.includes('.') && !isKnown ? suggestion(head, lists) : '';
      return meant === ''
        ? []
        : [
            warning(
              [...targetPath, ...field.at, 'value'],
              `a list that the block names${meant}: of ${head} it names none`,
            ),
          ];
    }),
  );
};

/** A record without a required value is rejected: where no row can have the value, all records are. */
const unfilledFields = (request: readonly RequestField[], columns: readonly string[] | undefined): Finding[] =>
  everyField(request).flatMap((field): Finding[] => {
    const { isRequired, children, at, type } = field;
    if (!isRequired || children.length > 0) return [];
    const path = [...targetPath, ...at, 'value'];
    if (isUnset(field) && type !== 'array') {
      return [warning(path, 'a value, since is_required: every record is rejected without one')];
    }
    const missing = columns === undefined ? undefined : takenBy(field).find((name) => !columns.includes(name));
    return missing === undefined
      ? []
      : [
          warning(
            path,
            `a column of the list${suggestion(missing, columns ?? [])}: it gives no ${missing}, and every record is rejected without one`,
          ),
        ];
  });

const PLACEHOLDER = /^(?:1|1{3,})$/;
/** Names under which a 1 is a number or a yes that somebody means. */
const MEANT =
  /page|index|current|start|size|limit|count|^(?:is|has|with|need|enable)|type|status|state|flag|mode|level|version|removed|deleted/i;

/** `"value": "1", "describe": "111"`: what people type to get over a form. */
const placeholders = (raw: JsonValue, side: 'source' | 'target', fields: readonly RequestField[]): Finding[] =>
  everyField(fields).flatMap((field): Finding[] => {
    const path = [side, 'metadata', 'request', ...field.at];
    const entry = valueAt(raw, path);
    const value = constantOf(field);
    if (!isJsonObject(entry) || typeof value !== 'string' || !PLACEHOLDER.test(value)) return [];
    const isTyped = field.type === undefined || field.type === 'string';
    const isSaid = [entry.describe, entry.label].some((words) => typeof words === 'string' && /^1{2,}$/.test(words));
    return isSaid || value !== '1' || (isTyped && !MEANT.test(field.name))
      ? [
          warning(
            [...path, 'value'],
            'a value that is meant, or none: it looks like a placeholder, and is sent as it stands',
          ),
        ]
      : [];
  });

/** Headers that say how, and not who. */
const PLAIN_HEADER = /^(?:content-type|accept|accept-language|user-agent|x-requested-with)$/i;

const WAY_OUT = (name: string): string =>
  `no secret, but in connection.auth.params {"in": "body", "name": ${JSON.stringify(name)}, "value": {"env": "NAME"}}: the file is read by many, and goes into the archives`;

/**
 * A token typed into a block: whoever reads the file, or the archive that it goes into, has it. Beside the record it has
 * a place of its own, and is refused.
 */
const typedSecrets = (filled: JsonValue, side: 'source' | 'target', requests: Requests[typeof side]): Finding[] =>
  (['request', 'otherRequest'] as const).flatMap((key) => {
    const isHeader = readPath(filled, `${side}.send.${key}.in`) === 'header';
    return everyField(requests[key]).flatMap((field): Finding[] => {
      const value = constantOf(field);
      if (typeof value !== 'string' || value === '' || field.children.length > 0) return [];
      if (!isSecretName(field.name) && !(isHeader && !PLAIN_HEADER.test(field.name))) return [];
      const path = [side, 'metadata', key, ...field.at, 'value'];
      if (key === 'otherRequest' && isTypedSecret(field.name, value)) return [fault(path, WAY_OUT(field.name))];
      return [
        warning(
          path,
          'no secret: the file is read by many, and goes into the archives. A token belongs in connection.auth, by reference',
        ),
      ];
    });
  });

/** The columns of a list whose rows are lists of values; undefined: nobody knows what a record of it has. */
const columnsOf = (filled: JsonValue, { source }: Requests): string[] | undefined =>
  readPath(filled, 'source.answer.rows') === 'lists' ? columnsIn(source) : undefined;

const hasBlock = (raw: JsonValue, side: 'source' | 'target'): raw is JsonObject =>
  isJsonObject(readPath(raw, `${side}.metadata`));

/** What is to say of how a file tells a success: with the blocks and profiles filled in. */
const successFindings = (filled: JsonValue): Finding[] => {
  if (!isJsonObject(readPath(filled, 'target'))) return [];
  const listed = readPath(filled, 'target.success.rules');
  const rules = Array.isArray(listed) ? listed.filter(isJsonObject) : [];
  const isStatusEnough = readPath(filled, 'target.success.status') === true;
  if (rules.length === 0 && !isStatusEnough && readPath(filled, 'target.results') === undefined) {
    return [
      warning(
        ['target', 'success'],
        'rules, such as {"rules": [{"path": "code", "equals": [0]}]}, or {"status": true} where a 2xx is enough: without them a refusal inside HTTP 200 counts as loaded, but for the usual envelopes',
      ),
    ];
  }
  const required = rules.find((rule) => rule.required === true);
  return isStatusEnough && typeof required?.path === 'string'
    ? [
        fault(
          ['target', 'success', 'status'],
          `nothing, since the rule on ${JSON.stringify(required.path)} is required: an answer without it is no success`,
        ),
      ]
    : [];
};

/**
 * What the file may say but hardly means: warnings, and faults where a secret is typed or the rules of a success
 * contradict each other. Pure.
 */
export const doubtsIn = (raw: JsonValue, filled: JsonValue, requests: Requests): Finding[] => {
  const { request } = requests.target;
  return [
    ...(hasBlock(raw, 'source')
      ? [...placeholders(raw, 'source', requests.source.request), ...typedSecrets(filled, 'source', requests.source)]
      : []),
    ...(hasBlock(raw, 'target')
      ? [
          ...sameBody(request),
          ...listlessArrays(request),
          ...unknownLists(request),
          ...unfilledFields(request, columnsOf(filled, requests)),
          ...placeholders(raw, 'target', request),
          ...typedSecrets(filled, 'target', requests.target),
        ]
      : []),
    ...successFindings(filled),
  ];
};
