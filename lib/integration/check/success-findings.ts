import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { type Finding, fault, warning } from './shape.ts';

/** What is to say of how a file tells a success: with the blocks and profiles filled in. */
export const successFindings = (filled: JsonValue): Finding[] => {
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
