// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { ExpectationStore } from '../../../../agent/lamactl/trust/expectation-store.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

it('keeps a policy in a form that is read again, also where two of its parts are the same', async () => {
  const store = new ExpectationStore(await temporaryFolder());
  const { policy } = forge();
  const same = { ...policy, previous: policy.pcrs, last: undefined };
  await store.keepPolicy('attic', same);
  expect(await store.policy('attic')).toEqual({ ...policy, previous: policy.pcrs });
});
