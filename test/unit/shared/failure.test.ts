// SPDX-License-Identifier: Apache-2.0
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { FAILURES, Failure, type FailureCode } from '../../../agent/shared/failure.ts';

const CODES = Object.keys(FAILURES) as FailureCode[];

describe('a failure', () => {
  it.each(CODES)('%s travels under a status of gRPC and says what can be done', (code) => {
    expect(status).toHaveProperty(FAILURES[code].status);
    expect(new Failure(code, 'Cannot').remedy).toMatch(/^[^A-Z].*[^.]$/);
  });

  it('stays itself when it is caught', () => {
    const failure = new Failure('NO_SPACE', 'Cannot write: full', { path: '/var' });
    expect(Failure.from(failure)).toBe(failure);
    expect(failure).toMatchObject({ name: 'Failure', facts: { path: '/var' } });
  });

  it.each([
    [new TypeError('x is undefined'), 'Cannot go on: x is undefined'],
    ['a text', 'Cannot go on: a text'],
    [undefined, 'Cannot go on: undefined'],
  ])('is INTERNAL around anything else that is thrown', (thrown, message) => {
    expect(Failure.from(thrown)).toMatchObject({ code: 'INTERNAL', message, cause: thrown });
  });
});
