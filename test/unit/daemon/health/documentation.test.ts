// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Condition } from '../../../../agent/daemon/health/check.ts';
import { readCheckFile } from '../../../../agent/daemon/health/check-file.ts';
import { CONDITION_FIELDS } from '../../../../agent/daemon/health/condition-schema.ts';

const page = readFileSync(new URL('../../../../docs/HEALTH.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');
const checks = examples.map((text) => readCheckFile('/etc/example.yaml', Buffer.from(text)));

function typesIn(condition: Condition): string[] {
  return [condition.type, ...('conditions' in condition ? condition.conditions.flatMap(typesIn) : [])];
}

test('every example in docs/HEALTH.md is a check', () => {
  expect(checks.filter(({ type }) => type === 'broken')).toEqual([]);
});

test('docs/HEALTH.md has an example of every type of condition', () => {
  const shown = checks.flatMap((file) => (file.type === 'check' ? typesIn(file.check.condition) : []));
  expect([...new Set(shown)].sort()).toEqual([...CONDITION_FIELDS.keys()].sort());
});
