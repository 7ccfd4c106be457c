// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeConnection } from '../../../../agent/lamactl/fleet/node.ts';
import { Failure, type FailureCode } from '../../../../agent/shared/failure.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';
import { attesting, homeOf } from '../forged-node.ts';

const { policy } = forge();
const failing = (code: FailureCode, times = Number.POSITIVE_INFINITY): Partial<NodeConnection> => {
  let left = times;
  const good = attesting();
  return {
    ...good,
    tpmKeys: async () => {
      left -= 1;
      if (left >= 0) throw new Failure(code, 'Cannot use the TPM: no');
      return good.tpmKeys();
    },
  };
};

describe('a node that is judged', () => {
  let home: Awaited<ReturnType<typeof homeOf>>;
  afterEach(() => home.remove());

  it('is trusted when its evidence holds', async () => {
    home = await homeOf(attesting(), policy);
    expect(await home.judge()).toMatchObject({ exit: 0, verdict: 'TRUSTED' });
  });

  it('is unattested when it has no TPM and never was enrolled', async () => {
    home = await homeOf(failing('TPM_MISSING'));
    expect(await home.judge()).toMatchObject({ exit: 15, verdict: 'UNATTESTED' });
    expect((await home.run('attest enroll --accept-new')).exit).toBe(15);
  });

  it('is unknown when it has one and never was enrolled', async () => {
    home = await homeOf(attesting());
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', found: expect.stringContaining('lamactl attest enroll') });
  });

  it('is rejected when it says that its TPM is gone', async () => {
    home = await homeOf(failing('TPM_MISSING'), policy);
    expect(await home.judge()).toMatchObject({ exit: 16, verdict: 'REJECTED', reason: 'tpm-gone' });
  });

  it.each(['TPM_LOCKED', 'TPM_UNAVAILABLE', 'NODE_UNREACHABLE'] as const)('is unknown after %s, enrolled or not', async (code) => {
    home = await homeOf(failing(code), policy);
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', error: { code } });
    await home.remove();
    home = await homeOf(failing(code));
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', error: { code } });
  });

  it('is asked again for a while when too many ask its TPM', async () => {
    home = await homeOf(failing('TPM_BUSY', 5), policy);
    expect(await home.judge()).toMatchObject({ exit: 0, verdict: 'TRUSTED' });
    home.node.answers = failing('TPM_BUSY');
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', error: { code: 'TPM_BUSY' } });
  });
});
