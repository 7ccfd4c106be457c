// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../qemu/driver.ts';
import { shellOk } from '../integration/node/ask-node.ts';
import { denials } from '../integration/node/denials.ts';
import { SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';

const QUICK = { timeoutMs: 120_000 };

/**
 * Runs a command as root and in the agent's domain, so that nothing but SELinux can refuse it. What it says goes to the journal:
 * the domain may not use a tester's pipes.
 */
async function inDomain(node: VirtualNode, name: string, command: string): Promise<{ readonly exitCode: number; readonly said: string }> {
  const domain = 'SELinuxContext=system_u:system_r:lamadist_agent_t:s0';
  const start = `systemd-run --quiet --wait --unit=${name} -p ${domain} /usr/bin/env sh -c '${command}' </dev/null`;
  const { exitCode } = await node.shell(start, QUICK);
  const said = await shellOk(node, `journalctl --sync; journalctl --quiet --no-pager --output=cat _SYSTEMD_UNIT=${name}.service`);
  return { exitCode, said };
}

/** kmod and a module, as files that every domain may use: so the domain gets as far as to ask the kernel. */
const [INSMOD, MODULE] = ['/run/lamadist-control/bin/insmod', '/run/lamadist-control/bin/nbd.ko'];
const COPY_KMOD = `cp /usr/bin/kmod ${INSMOD}; cp $(find /usr/lib/modules -name 'nbd.ko*') ${MODULE}; chcon -t bin_t ${INSMOD} ${MODULE}`;

/** What an attacker who holds the agent would like to do, and what the system and the journal say of it. */
const FORBIDDEN = [
  ['read the passwords', 'cat /etc/shadow', 'Permission denied', /name="shadow" .*:lamadist_agent_t:s0 \S+:shadow_t:s0 tclass=file/],
  [
    "write the other slot's device",
    ': >>/dev/mapper/root-b',
    'Permission denied',
    /name="dm-\d+" .*:lamadist_agent_t:s0 .*tclass=blk_file/,
  ],
  [
    "write the other slot's partition",
    ': >>/dev/disk/by-partlabel/root-b',
    'Permission denied',
    /name="vda\d+" .*:lamadist_agent_t:s0 .*tclass=blk_file/,
  ],
  ['load a module', `${INSMOD} ${MODULE}`, 'Operation not permitted', / sys_module .*:lamadist_agent_t:s0 .*tclass=capability/],
] as const;

describe('SELinux on a whole node, enforcing', { timeout: SCENARIO_MS }, () => {
  it("denies the agent's domain what it has no business with, and the journal has each denial", () =>
    onNode({ ignoresDenials: true }, async ({ node }) => {
      expect((await shellOk(node, 'getenforce')).trim()).toBe('Enforcing');
      expect((await shellOk(node, 'cat /proc/$(systemctl show --value -p MainPID lamadist-agent)/attr/current')).replace('\0', '')).toMatch(
        /^system_u:system_r:lamadist_agent_t:s0/,
      );
      const verdict = await shellOk(node, 'systemd-analyze security --no-pager lamadist-agent.service | tail -1');
      expect(Number(/: ([\d.]+) /.exec(verdict)?.[1])).toBeLessThanOrEqual(1.5);
      expect((await inDomain(node, 'allowed', 'cat /etc/os-release')).said).toContain('IMAGE_VERSION=1');
      expect(await denials(node)).toEqual([]);
      await shellOk(node, COPY_KMOD);
      for (const [index, [what, command, words, denied]] of FORBIDDEN.entries()) {
        const { length: before } = await denials(node);
        const { exitCode, said } = await inDomain(node, `forbidden-${index}`, command);
        expect({ what, refused: exitCode !== 0, said }).toEqual({ what, refused: true, said: expect.stringContaining(words) });
        const since = (await denials(node)).slice(before);
        expect(since.join('\n'), what).toMatch(denied);
      }
    }));
});
