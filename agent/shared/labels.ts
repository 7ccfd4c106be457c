// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';

/** What a node is called in lists, words of a shell, and certificates. */
export const NodeName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'has characters other than letters, digits, ".", "_" and "-"'),
  v.maxLength(63, 'has more than 63 characters'),
);

const MAX_LABELS = 32;
const KEY = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

/** Words that an administrator chooses nodes by, as Kubernetes has them: role=k3s, site=attic. */
export const Labels = v.pipe(
  v.record(v.pipe(v.string(), v.regex(KEY, 'is no key of a label')), v.pipe(v.string(), v.regex(VALUE, 'is no value of a label'))),
  v.check((labels) => Object.keys(labels).length <= MAX_LABELS, `has more than ${MAX_LABELS} labels`),
);

export type Labels = v.InferOutput<typeof Labels>;
