// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { agentAnswers, json } from './ask-node.ts';
import { BOOT, eventually, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { onNode } from './scenario.ts';

interface Entry {
  readonly cursor: string;
  readonly message: string;
  readonly priority: string;
  readonly unit: string;
  readonly bootId: string;
}

const WRITER = {
  path: '/etc/systemd/system/writer.service',
  content: '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo hello from the writer; echo \'<3>it went wrong\'"\n',
};

describe('the log of a running node', { timeout: SCENARIO_MS }, () => {
  it('is read by unit, priority and boot, and followed through a reboot without a gap', () =>
    onNode({ node: { files: [WRITER] } }, async ({ homelab, node }) => {
      const shell = (command: string) => node.shell(command, QUICK);
      const read = async (...args: string[]) => {
        const { nodes } = await json<{ nodes: { entries?: Entry[] }[] }>(homelab, 'logs', ...args);
        if (nodes[0]?.entries) return nodes[0].entries;
        throw new Error(`Cannot read the log: ${JSON.stringify(nodes)}`);
      };
      const following = homelab.lamactl(['logs', '-f', '-u', 'writer', '--boot', '-o', 'json'], { buffer: true });

      await shell('systemctl start writer.service; journalctl --sync');
      const entries = await read('-u', 'writer', '--boot');
      expect(entries.map(({ message }) => message)).toEqual(expect.arrayContaining(['hello from the writer', 'it went wrong']));
      expect(entries.every(({ unit }) => unit === 'writer.service')).toBe(true);
      expect(await read('-u', 'writer', '-p', 'err')).toMatchObject([{ message: 'it went wrong', priority: 'error' }]);
      expect(await read('--lines', '3')).toHaveLength(3);
      expect(await read('-u', 'writer', '--since', '2099-01-01')).toEqual([]);

      // An entry of more than is told, one that is no text, and one that would drive a terminal.
      await shell(
        String.raw`head -c 9000 /dev/zero | tr '\0' x | systemd-cat -t long; printf 'a\377b\n' | systemd-cat -t raw; printf 'e\033[2Jnd\n' | systemd-cat -t colour; journalctl --sync`,
      );
      const text = String((await homelab.lamactl(['logs', '--lines', '20'])).stdout);
      expect(text).toMatch(/attic long\[\d+\]: \(a message of more than 4 KiB/);
      expect(text).toMatch(/attic raw\[\d+\]: a\uFFFDb/);
      expect(text).toMatch(/attic colour\[\d+\]: e\uFFFD\[2Jnd/);

      const [last] = entries.slice(-1);
      expect(await homelab.lamactl(['reboot', '--wait'])).toMatchObject({ exitCode: 0 });
      await node.waitForBoot(BOOT);
      await agentAnswers(homelab);
      expect(await read('-u', 'writer', '--boot')).toEqual([]);
      expect((await read('-u', 'writer', '--boot', '-1')).map(({ cursor }) => cursor)).toContain(last?.cursor);
      await shell('systemctl start writer.service; journalctl --sync');
      const later = await read('--after-cursor', last!.cursor, '-u', 'writer', '--lines', '100');
      expect(later.filter(({ message }) => message === 'it went wrong')).toHaveLength(1);
      const some = await read('--after-cursor', last!.cursor, '-u', 'writer', '--lines', '1');
      expect(some).toEqual(later.slice(0, 1));
      expect((await homelab.lamactl(['logs', '--boot', '-9'])).exitCode).toBe(2);

      // Each reader is a process on the node, and goes with its client.
      const processes = "find /proc/[0-9]* -maxdepth 0 -user lamadist-agent -printf '%p/comm\\n'";
      const readers = async () => Number((await shell(`${processes} | xargs grep -lx journalctl 2>/dev/null | wc -l`)).stdout);
      await eventually('lamactl to read again', QUICK.timeoutMs, async () => (await readers()) === 1 || undefined);
      following.kill('SIGINT');
      const { stdout, exitCode } = await following;
      expect(exitCode).toBe(0);
      const told = String(stdout)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; entry?: Entry });
      expect(told.filter(({ entry }) => entry?.message === 'it went wrong').length).toBeGreaterThanOrEqual(1);
      expect(told.filter(({ type }) => type === 'unreachable')).toHaveLength(1);
      await eventually('the reader to end', QUICK.timeoutMs, async () => (await readers()) === 0 || undefined);
    }));
});
