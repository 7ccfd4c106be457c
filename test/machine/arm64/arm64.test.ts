// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { arm64Driver } from '../../../qemu/vm/vm-driver.ts';
import { agentAnswers, report, shellOk } from '../../integration/node/ask-node.ts';
import { denials } from '../../integration/node/denials.ts';
import { withHomelab } from '../../integration/node/scenario.ts';

/** The first time, three Debian roots are made, two of them by emulated programs. */
const TEST_MS = 2 * 60 * 60_000;
const BOOT = { timeoutMs: 30 * 60_000 };
const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

it('an image for arm64 boots with Secure Boot to a verified root and an agent that serves', { timeout: TEST_MS }, () => {
  return withHomelab(arm64Driver, async (homelab) => {
    const node = await homelab.addNode('attic', await homelab.image('1'));
    await node.start();
    await node.waitForBoot(BOOT);
    await agentAnswers(homelab);
    expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
    expect(await shellOk(node, 'uname -m')).toBe('aarch64\n');
    expect(await shellOk(node, `od -An -tu1 -j4 ${SECURE_BOOT}`)).toBe('   1\n');
    expect(await shellOk(node, 'dmsetup table root')).toMatch(/^0 \d+ verity /);
    expect(await shellOk(node, 'getenforce')).toBe('Enforcing\n');
    expect(await shellOk(node, 'journalctl --no-pager --output=cat --unit=lamadist-agent.service')).toContain(
      'Started lamadist-agent.service',
    );
    expect(await denials(node)).toEqual([]);
  });
});
