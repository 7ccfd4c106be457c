// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeProgress, progressLine } from '../../../../agent/lamactl/output/progress-line.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { ROLLED_BACK, updateIn } from '../answers.ts';

const plain = (_style: string, text: string) => text;
const gone = { type: 'unreachable', failure: new Failure('NODE_UNREACHABLE', 'Cannot reach it') } as const;

describe('the progress of a node', () => {
  it('is a reboot when the node goes away where a reboot is due, and else unreachable', () => {
    expect(nodeProgress('attic', gone, updateIn('pending-reboot')).label).toBe('rebooting');
    expect(nodeProgress('attic', gone, updateIn('installing')).label).toBe('unreachable');
    expect(nodeProgress('attic', gone, undefined).label).toBe('unreachable');
  });

  it('has per cent only while a bundle is fetched or written', () => {
    const progress = { percent: 40, message: '' };
    expect(nodeProgress('attic', { type: 'progress', update: updateIn('installing', { progress }) }, undefined).percent).toBe(40);
    const fetched = { fetchedBytes: 3 << 20, bundleBytes: 143 << 20 };
    expect(nodeProgress('attic', { type: 'progress', update: updateIn('installing', { progress, fetched }) }, undefined).detail).toMatch(
      /fetched 3MiB of 143MiB$/,
    );
    expect(nodeProgress('attic', { type: 'progress', update: updateIn('trial', { progress }) }, undefined).percent).toBeUndefined();
  });

  it('of a node that refused is not that of one that does not answer, and leaves the sentence to the end', () => {
    const refused = { type: 'error', failure: new Failure('UPDATE_IN_PROGRESS', 'Cannot start an update: one is under way') } as const;
    expect(nodeProgress('attic', refused, undefined)).toMatchObject({ label: 'refused', detail: 'UPDATE_IN_PROGRESS' });
    expect(nodeProgress('attic', { ...gone, type: 'error' }, undefined)).toMatchObject({ label: 'unknown', detail: 'NODE_UNREACHABLE' });
  });

  it('tells the reason of a rollback', () => {
    expect(nodeProgress('attic', { type: 'result', update: ROLLED_BACK }, undefined)).toMatchObject({
      label: 'rolled-back',
      style: 'bad',
      detail: 'Cannot commit 2.0.0: a required check did not pass',
    });
  });
});

describe('a line of progress', () => {
  const line = (percent: number, columns = 120) =>
    progressLine(plain, { name: 'attic', label: 'installing', style: 'heading', percent, detail: 'Copying' }, 83_000, 6, columns);

  it('shows name, phase, bar, per cent, time and what is done', () => {
    expect(line(46)).toBe('attic   installing      █████████░░░░░░░░░░░   46%   1:23  Copying'.replace('░   46%', '░  46%'));
  });

  it('never leaves its line, whatever a node says', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 40, max: 200 }), fc.string(), (percent, columns, detail) => {
        const text = progressLine(plain, { name: 'attic', label: 'installing', style: 'heading', percent, detail }, 83_000, 6, columns);
        return text.length < columns && !text.includes('\n');
      }),
    );
  });
});
