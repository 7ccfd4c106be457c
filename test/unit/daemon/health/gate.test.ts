// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckResult, CheckSet } from '../../../../agent/daemon/health/check.ts';
import { describeBroken, type Verdict, verdict } from '../../../../agent/daemon/health/gate.ts';
import { advisory, BROKEN, check, result } from '../../fakes/checks.ts';

const IN_TIME = { elapsedMs: 0, deadlineMs: 300_000 };
const TOO_LATE = { elapsedMs: 300_000, deadlineMs: 300_000 };

function judge(checkSet: Partial<CheckSet>, results: readonly CheckResult[] = [], time = IN_TIME): Verdict {
  return verdict({ checks: [], broken: [], ...checkSet }, new Map(results.map((each) => [each.name, each])), time);
}

test('is pending while a required check is', () => {
  const checks = [check('a'), check('b')];
  expect(judge({ checks })).toEqual({ type: 'pending' });
  expect(judge({ checks }, [result('a', 'passed'), result('b', 'pending')])).toEqual({ type: 'pending' });
});

test('passes when every required check has', () => {
  expect(judge({ checks: [check('a')] }, [result('a', 'passed')])).toEqual({ type: 'passed', message: 'The one required check passed' });
  expect(judge({ checks: [check('a'), check('b')] }, [result('a', 'passed'), result('b', 'passed')], TOO_LATE)).toEqual({
    type: 'passed',
    message: 'All 2 required checks passed',
  });
});

test('fails without any required check: nothing would be asked of this boot', () => {
  const message = 'Cannot call this boot healthy: there is no required check';
  const failed = { type: 'failed', code: 'CHECK_BROKEN', message, failedChecks: [] };
  expect(judge({})).toEqual(failed);
  expect(judge({ checks: [advisory('a')] }, [result('a', 'passed')])).toEqual(failed);
});

test('fails as soon as a required check has, and names it', () => {
  expect(judge({ checks: [check('a'), check('b')] }, [result('b', 'failed')])).toEqual({
    type: 'failed',
    code: 'CHECK_FAILED',
    message: 'Cannot call this boot healthy: check "b" failed after 1 attempt: b failed',
    failedChecks: ['b'],
  });
});

test('a required check that timed out has failed', () => {
  expect(judge({ checks: [check('a'), check('b')] }, [result('a', 'timed-out'), result('b', 'failed')])).toMatchObject({
    code: 'CHECK_FAILED',
    message: 'Cannot call this boot healthy: check "a" failed after 1 attempt: a timed-out (and 1 more)',
    failedChecks: ['a', 'b'],
  });
});

test('an advisory check never fails it', () => {
  const checks = [check('a'), advisory('b'), advisory('c')];
  const results = [result('a', 'passed'), result('b', 'failed', 'advisory'), result('c', 'timed-out', 'advisory')];
  expect(judge({ checks }, results)).toMatchObject({ type: 'passed' });
});

test('fails at the deadline, and names every check that had not passed', () => {
  const checks = [check('a'), check('b'), check('c'), advisory('d')];
  expect(judge({ checks }, [result('a', 'passed'), result('b', 'pending')], TOO_LATE)).toEqual({
    type: 'failed',
    code: 'GATE_TIMED_OUT',
    message: 'Cannot call this boot healthy: check "b" had not passed after 5m: b pending (and 1 more)',
    failedChecks: ['b', 'c'],
  });
});

describe('a broken file', () => {
  test('fails it at once, and is named with line and field', () => {
    expect(judge({ checks: [check('a')], broken: [BROKEN] }, [result('a', 'passed')])).toEqual({
      type: 'failed',
      code: 'CHECK_BROKEN',
      message:
        'Cannot call this boot healthy: /etc/lamadist-agent/health.d/bad.yaml:3: condition.port: must be a whole number from 1 to 65535',
      failedChecks: ['bad'],
    });
  });

  test('is named once however much is wrong with it', () => {
    expect(judge({ broken: [BROKEN, { ...BROKEN, line: 4 }] })).toMatchObject({ failedChecks: ['bad'] });
  });

  test('is described without a field where it has none', () => {
    expect(describeBroken({ file: '/etc/x.yaml', line: 1, field: '', message: 'not UTF-8 text' })).toBe('/etc/x.yaml:1: not UTF-8 text');
  });
});

describe('for any checks and results', () => {
  const names = ['a', 'b', 'c', 'd'];
  const severity = fc.constantFrom('required' as const, 'advisory' as const);
  const checks = fc.array(severity, { maxLength: 4 }).map((each) => each.map((one, index) => check(names[index]!, { severity: one })));
  const outcome = fc.constantFrom('passed', 'failed', 'timed-out', 'pending' as const);
  const resultsOf = fc.array(outcome, { minLength: 4, maxLength: 4 });
  const resultsOn = (outcomes: readonly CheckResult['outcome'][]) => outcomes.map((one, index) => result(names[index]!, one));
  const elapsed = fc.nat({ max: 400_000 });

  test('a verdict stays when pending checks come to an end and time goes on', () => {
    fc.assert(
      fc.property(checks, resultsOf, resultsOf, elapsed, (set, before, later, elapsedMs) => {
        const after = before.map((one, index) => (one === 'pending' ? later[index]! : one));
        const first = judge({ checks: set }, resultsOn(before), { elapsedMs, deadlineMs: 300_000 });
        fc.pre(first.type !== 'pending' && !(first.type === 'failed' && first.code === 'GATE_TIMED_OUT'));
        expect(judge({ checks: set }, resultsOn(after), TOO_LATE).type).toBe(first.type);
      }),
    );
  });

  test('it is never pending once the deadline is over', () => {
    fc.assert(
      fc.property(checks, resultsOf, (set, outcomes) => {
        expect(judge({ checks: set }, resultsOn(outcomes), TOO_LATE).type).not.toBe('pending');
      }),
    );
  });

  test('it passes only when no required check is anything but passed', () => {
    fc.assert(
      fc.property(checks, resultsOf, elapsed, (set, outcomes, elapsedMs) => {
        const passed = judge({ checks: set }, resultsOn(outcomes), { elapsedMs, deadlineMs: 300_000 }).type === 'passed';
        const required = set.flatMap((one, index) => (one.severity === 'required' ? [outcomes[index]] : []));
        expect(passed).toBe(required.length > 0 && required.every((outcome) => outcome === 'passed'));
      }),
    );
  });

  test('one broken file is enough to fail it', () => {
    fc.assert(
      fc.property(checks, resultsOf, elapsed, (set, outcomes, elapsedMs) => {
        const judged = judge({ checks: set, broken: [BROKEN] }, resultsOn(outcomes), { elapsedMs, deadlineMs: 300_000 });
        expect(judged).toMatchObject({ type: 'failed', code: 'CHECK_BROKEN' });
      }),
    );
  });
});
