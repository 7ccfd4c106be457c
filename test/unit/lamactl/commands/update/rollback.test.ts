// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { ROLLED_BACK, updateIn } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl rollback', () => {
  it('is done when the node rolled back, and passes the reason on', async () => {
    const attic = new FakeNode();
    attic.last = updateIn('trial');
    attic.watches = [[updateIn('rolling-back'), ROLLED_BACK]];
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('rollback --message noisy')).toBe(0);
    expect(attic.rollBackMessages).toEqual(['noisy']);
  });

  it('is refused, not done, when the commit came first', async () => {
    const attic = new FakeNode();
    attic.last = updateIn('committing');
    attic.watches = [[updateIn('committed')]];
    expect(await new FakeWorld({ attic }, certificates).run('rollback')).toBe(7);
  });

  it('ends with 7 when there is nothing to roll back', async () => {
    const attic = deadNode(new Failure('NOTHING_TO_ROLL_BACK', 'Cannot roll back: the other slot is bad'));
    expect(await new FakeWorld({ attic }, certificates).run('rollback')).toBe(7);
  });
});
