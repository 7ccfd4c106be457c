// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { writeEvidence } from '../../../../agent/lamactl/attest/evidence.ts';
import { readPolicy } from '../../../../agent/lamactl/attest/policy.ts';
import { REASONS } from '../../../../agent/lamactl/attest/verdict.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';

const page = readFileSync(new URL('../../../../docs/ATTESTATION.md', import.meta.url), 'utf8');

function section(heading: string): string {
  return page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
}

function firstCells(heading: string): readonly string[] {
  return [...section(heading).matchAll(/^\| `([^|]+)` \|/gm)].map(([, cell = '']) => cell);
}

test('docs/ATTESTATION.md lists every reason with its meaning', () => {
  const listed = [...section('Reasons').matchAll(/^\| `(.+)` \| (.+) \|$/gm)].map(([, reason, meaning]) => [reason, meaning]);
  expect(listed).toEqual(Object.entries(REASONS));
});

test('docs/ATTESTATION.md describes every field of evidence', () => {
  expect(firstCells('The evidence file')).toEqual(Object.keys(JSON.parse(writeEvidence(forge().evidence))));
});

test('the policy in docs/ATTESTATION.md is one, and its fields are described', () => {
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(section('The policy file')) ?? [];
  const described = firstCells('The policy file').flatMap((cell) => cell.split('`, `'));
  const fields = Object.keys(readPolicy(example, 'policy.yaml'));
  expect(fields.filter((field) => !described.includes(field))).toEqual([]);
});
