// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { DEVICE } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl reboot', () => {
  it('returns at once without --wait', async () => {
    const one = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await one.run('reboot')).toBe(0);
    expect(one.stdout.text).toBe('attic: reboots now\n');
  });

  it('waits, with --wait, until the node answers from another boot', async () => {
    const attic = new FakeNode();
    const gone = new Failure('NODE_UNREACHABLE', 'Cannot reach 10.0.0.5:7443: nothing listens there');
    const answers = [DEVICE, gone, { ...DEVICE, bootId: 'boot-2', imageVersion: '2.0.0' }];
    attic.answers.device = async () => {
      const answer = answers.shift()!;
      if (answer instanceof Failure) throw answer;
      return answer;
    };
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('reboot --wait')).toBe(0);
    expect(one.stdout.text).toBe('attic: rebooted into 2.0.0 in rootfs.0 (boot boot-2)\n');
    expect(attic.open).toBe(0);
  });

  it('ends with 13 when the node stays in its boot', async () => {
    const one = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await one.run('reboot --wait 1m')).toBe(13);
    expect(one.stderr.text).toContain('Cannot confirm the reboot of attic: it still runs the boot that was to end');
  });

  it('ends with 7 while a slot is being written', async () => {
    const attic = deadNode(new Failure('REBOOT_REFUSED', 'Cannot reboot: slot "rootfs.1" is being written'));
    expect(await new FakeWorld({ attic }, certificates).run('reboot')).toBe(7);
  });
});
