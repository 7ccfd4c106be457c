// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { agentAnswers, json, reaches } from './ask-node.ts';
import { BOOT, eventually, IN_VM, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { FAILING_CHECK, onNode } from './scenario.ts';

interface NodeEvent {
  readonly cursor: string;
  readonly type: string;
  readonly bootId: string;
  readonly gap: boolean;
  readonly phase?: string;
  readonly reasonCode?: string;
  readonly bootname?: string;
}

describe('the events of a running node', { timeout: SCENARIO_MS }, () => {
  it('tell a rollback from its request to its end, once each, whoever was away, and outlive the agent', () =>
    onNode({ files: [FAILING_CHECK] }, async ({ homelab, node, bundle }) => {
      const events = async (...args: string[]) => {
        const { nodes } = await json<{ nodes: { events?: NodeEvent[] }[] }>(homelab, 'events', ...args);
        if (nodes[0]?.events) return nodes[0].events;
        throw new Error(`Cannot read the events: ${JSON.stringify(nodes)}`);
      };
      const before = await events();
      // A machine that was resumed has had its agent restarted since.
      const first = IN_VM ? before.slice(0, 2) : before;
      expect(first).toMatchObject([{ type: 'booted', bootname: 'A', gap: false }, { type: 'gate-decided' }]);
      // The same certificate in another file: what is read again and found to be the same is no event.
      await node.shell('echo >>/etc/lamadist-agent/tls/node.pem', QUICK);
      await eventually('the certificates to be read again', QUICK.timeoutMs, async () => {
        return (await events().catch(() => [])).some(({ type }) => type === 'certificates-reloaded') || undefined;
      });
      const following = homelab.lamactl(['events', '-f', '-o', 'json', '--since-cursor', before.at(-1)!.cursor]);
      let seen = '';
      following.stdout?.on('data', (text) => {
        seen += text;
      });

      await homelab.lamactl(['install', '--on-node', '--no-wait', bundle]);
      await reaches(node, 'rolled-back');
      await agentAnswers(homelab);
      // Killed, the agent comes back, and writes down nothing twice.
      await node.shell('systemctl kill --signal=KILL lamadist-agent.service', QUICK);
      const after = await eventually('the agent to say that it was restarted', BOOT.timeoutMs, async () => {
        const found = await events('--since-cursor', before.at(-1)!.cursor, '--limit', '1').catch(() => []);
        return found.some(({ type }) => type === 'agent-restarted') ? found : undefined;
      });
      expect(after.filter(({ gap }) => gap)).toEqual([]);
      const told = after.map(({ type, phase, bootname }) => [type, phase ?? bootname].filter(Boolean).join(' '));
      expect(told.filter((line) => line.startsWith('update')).map((line) => line.split(' ')[1])).toEqual([
        'inspecting',
        'installing',
        'installed',
        'activating',
        'pending-reboot',
        'trial',
        'checking',
        'rolling-back',
        'rolled-back',
      ]);
      expect(after.find(({ phase }) => phase === 'rolled-back')).toMatchObject({ reasonCode: 'CHECK_FAILED' });
      expect(told.filter((line) => line.startsWith('booted'))).toEqual(['booted B', 'booted A']);
      expect(told.filter((line) => line === 'rebooting')).toHaveLength(2);
      // What made the update fail is an event of its own.
      expect(told).toContain('check-changed');
      expect(new Set(after.map(({ bootId }) => bootId)).size).toBe(3);

      // Whoever followed through both reboots and the kill has seen the same.
      const missing = () => after.find(({ cursor }) => !seen.includes(`"cursor":"${cursor}"`));
      await eventually('the follower to have seen as much', BOOT.timeoutMs, async () => missing() === undefined || undefined);
      following.kill('SIGINT');
      expect((await following).exitCode).toBe(0);
    }));
});
