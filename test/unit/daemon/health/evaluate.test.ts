// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../../agent/daemon/health/check.ts';
import { evaluate } from '../../../../agent/daemon/health/evaluate.ts';
import { byUnit, deaf, fakeProbes, type Look } from '../../fakes/probes.ts';

const LIVE = new AbortController().signal;

const unit = (name: string): Condition => ({ type: 'unit-active', unit: name });
const allOf = (...names: string[]): Condition => ({ type: 'all-of', conditions: names.map(unit) });
const anyOf = (...names: string[]): Condition => ({ type: 'any-of', conditions: names.map(unit) });

const answers = byUnit({ up: true, 'up-too': true, down: false, 'down-too': false, broken: new Error('the bus is gone') });
const look = (condition: Condition) => evaluate(condition, fakeProbes(answers), LIVE);

test('asks the probe of the type', async () => {
  await expect(look(unit('up'))).resolves.toEqual({ holds: true, detail: 'up is active' });
});

test('a condition that could not be looked at throws', async () => {
  await expect(look(unit('broken'))).rejects.toThrow('the bus is gone');
});

describe('all-of', () => {
  test('holds when all parts hold, and says so of each', async () => {
    await expect(look(allOf('up', 'up-too'))).resolves.toEqual({ holds: true, detail: 'up is active; up-too is active' });
  });

  test('is decided by the first part that fails, without waiting for the others', async () => {
    await expect(look(allOf('up', 'silent', 'down'))).resolves.toEqual({ holds: false, detail: 'down is failed' });
  });

  test('fails by a part that could not be looked at', async () => {
    await expect(look(allOf('up', 'broken'))).resolves.toEqual({ holds: false, detail: 'the bus is gone' });
  });
});

describe('any-of', () => {
  test('is decided by the first part that holds, without waiting for the others', async () => {
    await expect(look(anyOf('down', 'silent', 'broken', 'up'))).resolves.toEqual({ holds: true, detail: 'up is active' });
  });

  test('fails when no part holds, and says why of each', async () => {
    await expect(look(anyOf('down', 'broken', 'down-too'))).resolves.toEqual({
      holds: false,
      detail: 'down is failed; the bus is gone; down-too is failed',
    });
  });
});

test('composites nest', async () => {
  const condition: Condition = { type: 'all-of', conditions: [unit('up'), anyOf('down', 'up-too')] };
  await expect(look(condition)).resolves.toEqual({ holds: true, detail: 'up is active; up-too is active' });
});

test('stops the parts that cannot decide any more', async () => {
  let stopped = 0;
  const counting: Look = (condition, signal) => {
    signal.addEventListener('abort', () => {
      stopped += 1;
    });
    return answers(condition, signal);
  };
  await evaluate(anyOf('silent', 'up', 'mute'), fakeProbes(counting), LIVE);
  expect(stopped).toBe(3);
});

test.each([
  ['a single condition', unit('up')],
  ['all-of', allOf('up', 'down')],
  ['any-of', anyOf('up', 'down')],
  ['a nested one', { type: 'all-of', conditions: [anyOf('up')] } satisfies Condition],
])('%s ends with the signal, even when a probe does not', async (_, condition) => {
  const stop = new AbortController();
  const looking = evaluate(condition, fakeProbes(deaf), stop.signal);
  stop.abort(new Error('shutting down'));
  await expect(looking).rejects.toThrow('shutting down');
});
