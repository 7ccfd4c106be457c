// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../../../../agent/shared/version.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl version', () => {
  it('needs no context for its own', async () => {
    const one = new FakeWorld({}, certificates);
    one.env.LAMACTL_CONFIG = '/nonexistent';
    expect(await one.run('version --client')).toBe(0);
    expect(one.stdout.text).toBe(`lamactl ${VERSION}\n`);
    expect(await one.run('--version')).toBe(0);
  });

  it('shows that of each node, and unknown for one that does not answer', async () => {
    const two = new FakeWorld({ attic: new FakeNode(), cellar: deadNode() }, certificates);
    expect(await two.run('version --all')).toBe(4);
    expect(two.stdout.text).toMatch(/^attic +0\.1\.0 +lamadist +1\.0\.0$/m);
    expect(two.stdout.text).toMatch(/^cellar +unknown +unknown +unknown$/m);
  });

  it('prints both as JSON', async () => {
    const one = new FakeWorld({ attic: new FakeNode() }, certificates);
    await one.run('version -o json');
    expect(one.json()).toEqual({
      client: VERSION,
      nodes: [{ node: 'attic', agentVersion: '0.1.0', imageId: 'lamadist', imageVersion: '1.0.0' }],
    });
  });
});
