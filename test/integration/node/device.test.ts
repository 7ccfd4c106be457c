// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { json } from './ask-node.ts';
import { IN_VM, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { onNode } from './scenario.ts';

const WORKER = {
  path: '/etc/systemd/system/worker.service',
  content: '[Unit]\nDescription=Some work\n[Service]\nExecStart=/usr/bin/sleep infinity\n',
};
const NODE = { config: { units: { restart: ['worker.service', 'debug-shell.service'] } }, files: [WORKER] };
const MANAGER = 'org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager';

interface Posture {
  readonly protections: readonly { readonly kind: string; readonly state: string; readonly evidence: string }[];
}

interface Inventory {
  readonly processor: { readonly threads?: number };
  readonly memoryBytes?: number;
  readonly problems: readonly string[];
}

interface Usage {
  readonly fileSystems: readonly {
    readonly mountPoint: string;
    readonly type: string;
    readonly capacity?: { readonly sizeBytes: number };
  }[];
  readonly folders: readonly { readonly path: string; readonly files: number; readonly complete: boolean }[];
}

describe('a running node', { timeout: SCENARIO_MS }, () => {
  it('tells its posture, its disks, its hardware and its units, and restarts exactly what it was told to allow', () =>
    onNode({ node: NODE }, async ({ homelab, node }) => {
      const shell = (command: string) => node.shell(command, QUICK);
      const lamactl = (...args: string[]) => homelab.lamactl(args);

      const { nodes: postures } = await json<{ nodes: Posture[] }>(homelab, 'posture');
      const state = Object.fromEntries(postures[0]!.protections.map(({ kind, state }) => [kind, state]));
      // What the host's kernel lends a node in namespaces is not known here, but that slots and data lie on bare loop devices is.
      const ofItsOwn = { 'secure-boot': 'on', 'verity-root': 'on', 'luks-data': 'on', selinux: 'on', ima: 'on', tpm: 'on' };
      expect(state).toMatchObject(IN_VM ? ofItsOwn : { 'verity-root': 'off', 'luks-data': 'off' });
      expect(postures[0]!.protections.map(({ evidence }) => evidence)).not.toContain('');

      const { nodes: usages } = await json<{ nodes: Usage[] }>(homelab, 'du');
      const [{ fileSystems, folders }] = usages as [Usage];
      const types = Object.fromEntries(fileSystems.map(({ mountPoint, type }) => [mountPoint, type]));
      expect(types).toMatchObject({ '/': 'erofs', '/var': 'ext4' });
      expect(fileSystems.every(({ capacity }) => (capacity?.sizeBytes ?? 0) > 1_000_000)).toBe(true);
      expect(folders.find(({ path }) => path === '/var/log/journal')).toMatchObject({ complete: true });
      expect(folders.find(({ path }) => path === '/var/lib/lamadist-agent')?.files).toBeGreaterThan(0);

      const { nodes: found } = await json<{ nodes: { inventory: Inventory }[] }>(homelab, 'inventory');
      const { processor, memoryBytes, problems } = found[0]!.inventory;
      expect(problems).toEqual([]);
      expect(processor.threads).toBeGreaterThan(0);
      expect(memoryBytes).toBeGreaterThan(100 << 20);
      // The process that looked is gone, and the agent is the one that it was.
      expect((await shell('systemctl show --property=NRestarts --value lamadist-agent.service')).stdout.trim()).toBe('0');
      expect((await shell('grep -lx node /proc/[0-9]*/comm | wc -l')).stdout.trim()).toBe('1');

      await shell('systemctl start worker.service');
      const pid = async () => (await shell('systemctl show --property=MainPID --value worker.service')).stdout.trim();
      const before = await pid();
      const units = await lamactl('units', 'worker*');
      expect(String(units.stdout)).toMatch(/^attic +worker\.service +loaded +active +running +yes +Some work$/m);
      expect(await lamactl('units', 'restart', 'worker.service')).toMatchObject({ exitCode: 0 });
      expect(await pid()).not.toBe(before);
      expect(String((await lamactl('units', 'restart', 'dbus.service')).all)).toContain('RESTART_NOT_ALLOWED');
      // The configuration may be wrong; polkit does not take its word for everything.
      expect(String((await lamactl('units', 'restart', 'debug-shell.service')).all)).toContain('RESTART_NOT_ALLOWED');
      expect((await shell('systemctl is-active debug-shell.service')).stdout.trim()).toBe('inactive');

      const asAgent = (call: string) =>
        shell(`setpriv --reuid=lamadist-agent --regid=lamadist-agent --clear-groups busctl call ${MANAGER} ${call}`);
      expect(await asAgent('RestartUnit ss worker.service replace')).toMatchObject({ exitCode: 0 });
      for (const call of [
        'StopUnit ss worker.service replace',
        'StartUnit ss debug-shell.service replace',
        'Reload',
        'RestartUnit ss x.socket replace',
      ]) {
        expect((await asAgent(call)).exitCode, call).not.toBe(0);
      }
      expect(String((await lamactl('events')).stdout)).toMatch(/attic worker\.service was restarted through the agent$/m);
      const audit = await shell('cat /var/lib/lamadist-agent/audit.log');
      expect(audit.stdout).toContain(
        '"rpc":"/lamadist.agent.v1.UnitService/RestartUnit","result":"OK","request":{"name":"worker.service"}',
      );
    }));
});
