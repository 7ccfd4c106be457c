// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { rejected } from '../../../../agent/lamactl/attest/verdict.ts';
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

it('remembers nothing of evidence that was rejected: its counters would hold against the node for ever', async () => {
  const store = new ExpectationStore(await temporaryFolder());
  const { policy, evidence } = forge();
  await store.keepPolicy('attic', policy);
  await store.keepVerdict('attic', { verdict: 'REJECTED', ...rejected('digest', 'it is another') }, evidence);
  expect(await store.trusted('attic')).toBeUndefined();
  expect((await store.policy('attic'))?.last).toBeUndefined();
  await store.keepVerdict('attic', { verdict: 'TRUSTED' }, evidence);
  expect((await store.policy('attic'))?.last).toBeDefined();
});
