// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { agentAnswers, COMMITTED, json, reaches, report } from './ask-node.ts';
import { QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { check, onNode } from './scenario.ts';

const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "5"] }');
const YEAR_MS = 31_557_600_000;

/**
 * The agent's wall clock, away from the host's, which is not ours to set, by as much as a file says. Both slots have it, for
 * /etc is theirs together. Certificates are held against the true time.
 */
const FALSE_CLOCK = [
  {
    path: '/etc/systemd/system/lamadist-agent.service.d/false-clock.conf',
    content: '[Service]\nEnvironment="NODE_OPTIONS=--require /etc/false-clock.cjs"\n',
  },
  {
    path: '/etc/false-clock.cjs',
    content: `const fs = require('node:fs');
const True = Date;
const now = () => True.now() + Number(fs.readFileSync('/etc/false-clock', 'utf8'));
globalThis.Date = class extends True {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
`,
  },
];

const awayBy = (ms: number) => ({ path: '/etc/false-clock', content: `${Math.round(ms)}\n` });

interface Listed {
  readonly phase: string;
  readonly phaseChanges: readonly { readonly at: string }[];
}

describe('a clock', { timeout: SCENARIO_MS }, () => {
  it('that stands in 1970, jumps a century ahead in the middle of a trial, and back, changes no outcome and no order', () => {
    const from1970 = awayBy(60_000 - Date.now());
    // At each boot of a machine systemd-tmpfiles looks for the false clock's drop-in once more, and SELinux keeps it from there.
    const variant = { files: [SLOW_CHECK], node: { files: [...FALSE_CLOCK, from1970] }, ignoresDenials: true } as const;
    return onNode(variant, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      await node.writeFile('/etc/false-clock', awayBy(100 * YEAR_MS).content);
      await reaches(node, 'committed');
      // No certificate of the administrator's is valid in a hundred years, so lamactl hears of it only now.
      await node.writeFile('/etc/false-clock', from1970.content);
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect((await homelab.lamactl(['install', '--on-node', '/nowhere.raucb'])).exitCode).toBe(8);
      const { nodes } = await json<{ nodes: { updates: Listed[] }[] }>(homelab, 'history');
      const listed = nodes[0]?.updates.map(({ phase, phaseChanges }) => `${phase} ${phaseChanges[0]?.at.slice(0, 4)}`);
      expect(listed).toEqual(['failed 1970', 'committed 1970']);
    });
  });

  it('that is behind the certificate of a bundle is waited for, and the update goes on once it is right', () =>
    onNode({ node: { config: { updates: { 'clock-patience': '5m' } } } }, async ({ homelab, node }) => {
      // To the node there is no difference between a clock that is behind and a certificate that is ahead.
      const validity = { notBefore: new Date(Date.now() + QUICK.timeoutMs), notAfter: new Date(Date.now() + 3_600_000) };
      const signer = await homelab.pki.bundleAuthority.issue({ commonName: 'bundle signer', purpose: 'code-signing', validity });
      const bundle = await node.deliver(await homelab.bundle(await homelab.image('2'), { signer }));
      await agentAnswers(homelab);
      expect(Date.now()).toBeLessThan(validity.notBefore.getTime());
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));
});
