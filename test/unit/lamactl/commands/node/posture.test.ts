// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { PROTECTIONS } from '../../details.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl posture', () => {
  it('shows one node with what was found, and where', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('posture')).toBe(0);
    expect(world.stdout.text).toMatch(/^secure-boot +off +the node was not booted by UEFI +\/sys\/firmware\/efi$/m);
    expect(world.stdout.text).toMatch(/^verity-root +on +/m);
  });

  it('shows many nodes in a table, and a dead one as unknown', async () => {
    const world = new FakeWorld({ attic: new FakeNode(), cellar: deadNode() }, certificates);
    expect(await world.run('posture --all')).toBe(4);
    expect(world.stdout.text).toMatch(/^NODE +SECURE-BOOT +VERITY-ROOT +LUKS-DATA +SELINUX +IMA +TPM +LOCKDOWN$/m);
    expect(world.stdout.text).toMatch(/^attic +off +on +on +on +on +on +on$/m);
    expect(world.stdout.text).toMatch(/^cellar +unknown +unknown +unknown +unknown +unknown +unknown +unknown$/m);
    expect(world.stderr.text).toContain('NODE_UNREACHABLE');
  });

  it('ends with unknown when a protection is', async () => {
    const attic = new FakeNode();
    attic.answers.protections = async () => PROTECTIONS.map((each) => (each.kind === 'ima' ? { ...each, state: 'unknown' } : each));
    const world = new FakeWorld({ attic }, certificates);
    expect(await world.run('posture -o json')).toBe(4);
    expect(world.json()).toMatchObject({ nodes: [{ node: 'attic', protections: { 4: { kind: 'ima', state: 'unknown' } } }] });
  });
});
