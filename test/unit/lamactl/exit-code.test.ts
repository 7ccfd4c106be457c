// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES, type ExitName, exitOfFailure, worst } from '../../../agent/lamactl/exit-code.ts';
import { FAILURES, Failure, type FailureCode } from '../../../agent/shared/failure.ts';

const names = Object.keys(EXIT_CODES) as ExitName[];

describe('exit codes', () => {
  it('are each said once', () => {
    const codes = names.map((name) => EXIT_CODES[name].code);
    expect([...codes].sort((a, b) => a - b)).toEqual(codes.map((_, index) => index));
  });

  it('are documented in docs/LAMACTL.md, in the same order and words', () => {
    const document = readFileSync(new URL('../../../docs/LAMACTL.md', import.meta.url), 'utf8');
    const rows = [...document.matchAll(/^\| (\d+) \| `([a-z-]+)` \| (.+) \|$/gm)].map(([, code, name, meaning]) => [
      Number(code),
      name,
      meaning,
    ]);
    expect(rows).toEqual(names.map((name) => [EXIT_CODES[name].code, name, EXIT_CODES[name].meaning]));
  });

  it('of many nodes are that of the worst', () => {
    expect(worst([])).toBe('done');
    expect(worst(['done', 'rolled-back', 'under-way'])).toBe('rolled-back');
    expect(worst(['unhealthy', 'unknown', 'done'])).toBe('unknown');
  });

  it.each(Object.keys(FAILURES) as FailureCode[])('say of %s that it is not done', (code) => {
    expect(exitOfFailure(new Failure(code, 'Cannot go on: no'))).not.toBe('done');
  });

  it.each([
    ['NODE_UNREACHABLE', 'unknown'],
    ['UNAUTHENTICATED', 'unauthenticated'],
    ['NODE_UNTRUSTED', 'unauthenticated'],
    ['PERMISSION_DENIED', 'permission-denied'],
    ['UPDATE_IN_PROGRESS', 'refused'],
    ['RAUC_UNAVAILABLE', 'refused'],
    ['BUNDLE_NOT_FOUND', 'not-found'],
    ['DEADLINE_EXCEEDED', 'deadline'],
    ['CONFIG_INVALID', 'configuration'],
    ['INVALID_REQUEST', 'usage'],
    ['TPM_MISSING', 'unattested'],
    ['EVIDENCE_INVALID', 'rejected'],
    ['INTERNAL', 'internal'],
  ] as const)('of %s is %s', (code, exit) => {
    expect(exitOfFailure(new Failure(code, 'Cannot go on: no'))).toBe(exit);
  });
});
