// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { hasRole } from './roles.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether a node's labels are those that were asked for. */
export type LabelSelector = (labels: Labels) => boolean;

const KEY = '[A-Za-z0-9][A-Za-z0-9._/-]*';
const VALUE = '[A-Za-z0-9._/-]*';
const TERM = new RegExp(`^(?<not>!)?(?<key>${KEY})(?:(?<sign>!?==?)(?<value>${VALUE}))?$`);

/**
 * Reads `role=k3s,site!=attic,ups,!old`: each term must hold. A bare key asks whether the label is there, `!key` whether it is
 * not; a node without the label has another value. A node may have several roles, with dots between. Throws INVALID_REQUEST.
 */
export function parseLabelSelector(text: string): LabelSelector {
  const terms = text.split(',').map(parseTerm);
  return (labels) => terms.every((term) => term(labels));
}

function parseTerm(text: string): LabelSelector {
  const { not, key = '', sign, value = '' } = TERM.exec(text.trim())?.groups ?? {};
  if (key === '' || (not !== undefined && sign !== undefined)) {
    throw new Failure('INVALID_REQUEST', `Cannot select by the label "${text}": it is none of key=value, key!=value, key and !key`, {
      field: 'selector',
    });
  }
  if (sign === undefined) return (labels) => Object.hasOwn(labels, key) !== (not !== undefined);
  const wanted = !sign.startsWith('!');
  return (labels) => (Object.hasOwn(labels, key) && isValue(key, labels, value)) === wanted;
}

function isValue(key: string, labels: Labels, wanted: string): boolean {
  return labels[key] === wanted || (key === 'role' && hasRole(labels, wanted));
}
