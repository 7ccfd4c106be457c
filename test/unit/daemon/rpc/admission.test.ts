// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { admitStrangers } from '../../../../agent/daemon/rpc/admission.ts';

const CLAIM = '/lamadist.agent.v1.EnrolmentService/ClaimNode';

describe('strangers before an unclaimed node', () => {
  it('are answered thirty times a minute, all of them together', () => {
    let nowMs = 0;
    const admit = admitStrangers(() => nowMs);
    const refusals = (calls: number) =>
      Array.from({ length: calls }, () => admit(CLAIM, {}).refusal?.code).filter((code) => code !== undefined);
    expect(refusals(30)).toEqual([]);
    nowMs = 59_999;
    expect(refusals(2)).toEqual(['TOO_MANY_CALLS', 'TOO_MANY_CALLS']);
    nowMs = 60_000;
    expect(refusals(30)).toEqual([]);
  });
});
