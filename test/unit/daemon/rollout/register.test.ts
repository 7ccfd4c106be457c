// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { put, type Register, requireAlone, requireEpoch, take } from '../../../../agent/daemon/rollout/register.ts';

const bytes = (text: string) => Buffer.from(text);
const record = (epoch: number, sequence: number, plan = 'plan') => ({
  epoch,
  sequence,
  witnesses: ['attic'],
  summary: '',
  ended: false,
  plan: bytes(plan),
  progress: bytes(`${epoch}.${sequence}`),
});
const ANNA = 'anna';
const BERT = 'bert';
const held = (): Register => put(take(undefined, { epoch: 2, holder: ANNA }), ANNA, record(2, 5));

describe('the register of a rollout', () => {
  it('is taken by a newer epoch, and keeps what was written', () => {
    expect(take(held(), { epoch: 3, holder: BERT })).toEqual({ promised: { epoch: 3, holder: BERT }, record: record(2, 5) });
  });

  it('is taken again by the same holder, but not by another under the same epoch, and not under an older one', () => {
    expect(take(held(), { epoch: 2, holder: ANNA })).toEqual(held());
    expect(() => take(held(), { epoch: 2, holder: BERT })).toThrow('Cannot go on with the rollout: anna holds it under epoch 2');
    expect(() => take(held(), { epoch: 1, holder: ANNA })).toThrow('anna holds it under epoch 2');
  });

  it('refuses what an older runner writes once another has taken it', () => {
    const taken = take(held(), { epoch: 3, holder: BERT });
    expect(() => put(taken, ANNA, record(2, 6))).toThrow('bert holds it under epoch 3');
  });

  it('takes the same record twice, and none that is older', () => {
    expect(put(held(), ANNA, record(2, 5))).toEqual(held());
    expect(() => put(held(), ANNA, record(2, 4))).toThrow('record 5 of epoch 2 is written already');
  });

  it('begins to count anew under a newer epoch', () => {
    expect(put(held(), BERT, record(3, 1)).record).toMatchObject({ epoch: 3, sequence: 1 });
  });

  it('keeps its plan where none is given', () => {
    expect(put(held(), ANNA, record(2, 6, '')).record?.plan).toEqual(bytes('plan'));
  });

  it('refuses the command of a runner that was fenced off, and no other', () => {
    expect(() => requireEpoch(held(), 1)).toThrow('anna holds it under epoch 2');
    expect(() => requireEpoch(held(), 2)).not.toThrow();
    expect(() => requireEpoch(undefined, 1)).not.toThrow();
  });

  it('begins alone: its first record waits for others to end, or to be replaced', () => {
    const others = [{ id: 'other', register: held() }];
    expect(() => requireAlone(undefined, false, others, [])).toThrow('Cannot begin a rollout: another has not ended: other');
    expect(() => requireAlone(take(undefined, { epoch: 2, holder: BERT }), false, others, [])).toThrow('another has not ended');
    requireAlone(undefined, false, others, ['other']);
    requireAlone(undefined, true, others, []);
    requireAlone(held(), false, others, []);
    requireAlone(undefined, false, [{ id: 'other', register: { ...held(), record: { ...record(2, 5), ended: true } } }], []);
  });
});
