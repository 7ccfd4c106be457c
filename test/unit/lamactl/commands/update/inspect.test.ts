// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { updateIn } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl inspect', () => {
  it('shows the manifest and whether the bundle fits the node', async () => {
    const attic = new FakeNode();
    attic.answers.inspect = async () => ({ bundle: updateIn('idle').bundle!, compatibleWithNode: false, failedHere: true });
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('inspect /data/two.raucb')).toBe(0);
    expect(one.stdout.text).toMatch(/^Version +2\.0\.0$/m);
    expect(one.stdout.text).toMatch(/^Fits this node +no: it is for lamadist-virtual$/m);
    expect(one.stdout.text).toMatch(/^Failed here before +yes: install refuses it without --force$/m);
  });

  it('ends with 7 when the bundle is not trusted, and with 11 when it is not there', async () => {
    const untrusted = deadNode(new Failure('BUNDLE_UNTRUSTED', 'Cannot inspect: its signature is not valid'));
    expect(await new FakeWorld({ attic: untrusted }, certificates).run('inspect /data/two.raucb')).toBe(7);
    const missing = deadNode(new Failure('BUNDLE_NOT_FOUND', 'Cannot inspect: there is no such file'));
    expect(await new FakeWorld({ attic: missing }, certificates).run('inspect /data/two.raucb')).toBe(11);
  });
});
