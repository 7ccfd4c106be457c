// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { admitStrangers } from '../../../../agent/daemon/rpc/admission.ts';

const CLAIM = '/lamadist.agent.v1.EnrolmentService/ClaimNode';

function strangers() {
  const time = { nowMs: 0 };
  const admit = admitStrangers(() => time.nowMs);
  const refused = (calls: number, address: string) =>
    Array.from({ length: calls }, (_, index) => admit(CLAIM, {}, `${address}:${1024 + index}`).refusal?.code).filter(
      (code) => code !== undefined,
    ).length;
  return { time, refused };
}

describe('strangers before an unclaimed node', () => {
  it('are answered thirty times a minute each, whatever their ports', () => {
    const { time, refused } = strangers();
    expect(refused(30, '10.0.0.7')).toBe(0);
    time.nowMs = 59_999;
    expect(refused(2, '10.0.0.7')).toBe(2);
    time.nowMs = 60_000;
    expect(refused(30, '10.0.0.7')).toBe(0);
  });

  it('do not keep another from being answered', () => {
    const { refused } = strangers();
    expect(refused(1_000, '10.0.0.66')).toBe(970);
    expect(refused(1_000, 'fd00::66')).toBe(970);
    expect(refused(30, '10.0.0.7')).toBe(0);
  });

  it('are answered three hundred times a minute together', () => {
    const { refused } = strangers();
    const many = Array.from({ length: 20 }, (_, index) => refused(30, `10.0.0.${index}`));
    expect(many.reduce((sum, count) => sum + count, 0)).toBe(300);
  });
});
