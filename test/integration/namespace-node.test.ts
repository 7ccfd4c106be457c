// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildBundle } from '../../qemu/bundle/build-bundle.ts';
import { run } from '../../qemu/host/command.ts';
import { until } from '../../qemu/host/deadline.ts';
import { sayOnStderr } from '../../qemu/host/say.ts';
import { buildImage } from '../../qemu/image/build-image.ts';
import type { Image, ImageRecipe } from '../../qemu/image/image-recipe.ts';
import { NamespaceMachine, type NamespaceMachineOptions } from '../../qemu/namespace/namespace-machine.ts';
import { ownerOf } from '../../qemu/namespace/node-folder.ts';
import { sweep } from '../../qemu/namespace/sweep.ts';
import { TestPki } from '../../qemu/pki/test-pki.ts';
import { prepareRoot } from '../../qemu/root/prepare-root.ts';

const BOOT = { timeoutMs: 60_000 };
const COMMAND = { timeoutMs: 30_000 };
const INSTALL = { timeoutMs: 90_000 };
const ROOT_PREPARATION_MS = 15 * 60_000;
const FAKES = path.join(import.meta.dirname, 'fakes');
const AGENT = '/var/lib/lamadist-agent';

describe('the node in namespaces', { timeout: 240_000 }, () => {
  let pki: TestPki;
  let folder: string;
  let first: Image;
  const nodes: NamespaceMachine[] = [];

  beforeAll(async () => {
    await prepareRoot(sayOnStderr);
    folder = await mkdtemp(path.join(tmpdir(), 'lamadist-test-'));
    pki = await TestPki.create();
    first = await image('1');
  }, ROOT_PREPARATION_MS);

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  function image(version: string, variant: Partial<ImageRecipe> = {}): Promise<Image> {
    return buildImage({ version, agent: path.join(FAKES, 'placeholder-agent.cjs'), ...variant }, sayOnStderr);
  }

  async function bundle(of: Image): Promise<string> {
    const target = path.join(folder, `${path.basename(of.path)}.raucb`);
    if (!existsSync(target)) await buildBundle({ image: of, pki, target }, sayOnStderr);
    return target;
  }

  async function startNode(options: Partial<NamespaceMachineOptions> = {}): Promise<NamespaceMachine> {
    const keyring = { path: '/etc/rauc/keyring.pem', content: pki.bundleAuthority.certificate };
    const provision = async () => [keyring];
    const node = await NamespaceMachine.create({ name: `node-${nodes.length + 1}`, image: first, provision, say: sayOnStderr, ...options });
    nodes.push(node);
    await node.start();
    return node;
  }

  /** Runs a command that must succeed, and returns what it wrote. */
  async function ask(node: NamespaceMachine, command: string, options: { timeoutMs: number; user?: string } = COMMAND): Promise<string> {
    const { exitCode, stdout, stderr } = await node.shell(command, options);
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: expect.any(String) });
    return stdout.trim();
  }

  /** Installs an image into the other slot and makes that one primary, as an update does. */
  async function update(node: NamespaceMachine, to: Image): Promise<void> {
    await ask(node, `rauc install ${await node.deliver(await bundle(to))}`, INSTALL);
    await ask(node, 'rauc status mark-active other');
  }

  /** What the agent writes before it activates slot B. */
  async function arm(node: NamespaceMachine, operation: string): Promise<void> {
    const bootId = await node.readFile('/proc/sys/kernel/random/boot_id');
    await node.writeFile(`${AGENT}/armed`, `OPERATION=${operation}\nTARGET=B\nBOOT_ID=${bootId}`, { owner: 'lamadist-agent' });
  }

  it('boots to multi-user with a bus, logind and both of its slots', async () => {
    const node = await startNode();
    expect(await node.waitForBoot(BOOT)).toMatchObject({ number: 1, bootname: 'A', imageVersion: '1' });
    expect(await ask(node, 'systemctl is-active dbus.service systemd-logind.service lamadist-agent.service')).toBe(
      'active\nactive\nactive',
    );
    const status = JSON.parse(await ask(node, 'rauc status --output-format=json'));
    expect(status).toMatchObject({ compatible: 'lamadist-namespace', booted: 'A', boot_primary: 'rootfs.0' });
    expect(JSON.stringify(status.slots)).toContain('/dev/disk/by-partlabel/root-b');
    expect(await node.consoleLog()).toMatch(/── boot 1: slot A[\s\S]*Reached target .*Multi-User/);
  });

  it('reaches boot-complete when the agent says that the gate has passed', async () => {
    const node = await startNode();
    await node.waitForBoot(BOOT);
    const active = async () => ((await node.shell('systemctl is-active boot-complete.target', COMMAND)).exitCode === 0 ? true : undefined);
    await until('boot-complete.target', 20_000, active);
    expect(await ask(node, 'systemctl --failed --plain --no-legend')).toBe('');
  });

  it('has a boot id, a journal and TPM registers per boot, and TPM seeds for ever', async () => {
    const node = await startNode();
    const before = await node.waitForBoot(BOOT);
    const tpm = `TPM2TOOLS_TCTI=${node.tcti}`;
    expect(await ask(node, `${tpm} tpm2_getrandom --hex 8`)).toMatch(/^[0-9a-f]{16}$/);
    const primary = `${tpm} tpm2_createprimary -Q -C e -c /tmp/key.ctx && ${tpm} tpm2_readpublic -Q -c /tmp/key.ctx -f pem -o /tmp/key.pem && cat /tmp/key.pem`;
    const key = await ask(node, primary);
    await ask(node, `${tpm} tpm2_pcrextend 16:sha256=${'1'.repeat(64)}`);
    await node.shell('systemctl reboot', COMMAND);
    const after = await node.waitForBoot({ ...BOOT, after: before });
    expect(after.bootId).not.toBe(before.bootId);
    expect(await ask(node, 'cat /proc/sys/kernel/random/boot_id')).toBe(after.bootId);
    expect(await ask(node, 'journalctl --list-boots | grep -c UTC')).toBe('2');
    expect(await ask(node, `${tpm} tpm2_pcrread -Q sha256:16 -o /tmp/pcr && od -An -v -tx1 /tmp/pcr | tr -d " \\n"`)).toBe('0'.repeat(64));
    expect(await ask(node, primary)).toBe(key);
  });

  it('shows the agent the boot that it is in, whatever its sandbox hides', async () => {
    const node = await startNode();
    const { bootId } = await node.waitForBoot(BOOT);
    const asTheAgent = 'nsenter --mount --target $(systemctl show --value -p MainPID lamadist-agent.service)';
    expect(await ask(node, `${asTheAgent} cat /proc/sys/kernel/random/boot_id /proc/cmdline`)).toContain(`${bootId}\nrauc.slot=A`);
  });

  it('goes back to slot A after a trial of B that nobody marked good', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    await update(node, await image('2'));
    await node.shell('systemctl reboot', COMMAND);
    const two = await node.waitForBoot({ ...BOOT, after: one });
    expect(two).toMatchObject({ bootname: 'B', imageVersion: '2' });
    await node.shell('systemctl reboot', COMMAND);
    expect(await node.waitForBoot({ ...BOOT, after: two })).toMatchObject({ bootname: 'A', imageVersion: '1' });
  });

  it('stays on slot B once it is marked good, through a power cut', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    await update(node, await image('2'));
    await node.shell('systemctl reboot', COMMAND);
    const two = await node.waitForBoot({ ...BOOT, after: one });
    await ask(node, 'rauc status mark-good');
    await node.cutPower();
    await node.start();
    expect(await node.waitForBoot({ ...BOOT, after: two })).toMatchObject({ bootname: 'B', imageVersion: '2' });
  });

  it('tries a slot as often as its boot loader is set to', async () => {
    const node = await startNode({ maxTries: 2 });
    let boot = await node.waitForBoot(BOOT);
    await update(node, await image('2'));
    const seen: string[] = [];
    for (let reboots = 0; reboots < 3; reboots += 1) {
      await node.shell('systemctl reboot', COMMAND);
      boot = await node.waitForBoot({ ...BOOT, after: boot });
      seen.push(boot.bootname);
    }
    expect(seen).toEqual(['B', 'B', 'A']);
  });

  it('loses by a power cut what was not synchronised, and nothing else', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    await ask(node, 'echo kept >/var/kept && sync /var/kept /var && echo lost >/var/lost');
    await node.cutPower();
    await node.start();
    await node.waitForBoot({ ...BOOT, after: one });
    expect(await ask(node, 'cat /var/kept; cat /var/lost 2>/dev/null || true')).toBe('kept');
  });

  it('stops the world in the phase of a held boot loader command', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    await ask(node, `rauc install ${await node.deliver(await bundle(await image('2')))}`, INSTALL);
    await node.hold('set-primary.B');
    const activation = node.shell('rauc status mark-active other', COMMAND).catch(() => 'cut off');
    await node.waitUntilHeld('set-primary.B', { timeoutMs: 20_000 });
    expect((await node.bootLoaderState()).order).toEqual(['A', 'B']);
    await node.cutPower();
    await activation;
    await node.release('set-primary.B');
    await node.start();
    expect(await node.waitForBoot({ ...BOOT, after: one })).toMatchObject({ bootname: 'A' });
    await ask(node, 'rauc status mark-active other');
    expect((await node.bootLoaderState()).order).toEqual(['B', 'A']);
  });

  it('lets root speak to RAUC, the agent use the verbs that it needs, and nobody else do anything', async () => {
    const node = await startNode();
    await node.waitForBoot(BOOT);
    const ping = 'busctl call de.pengutronix.rauc / org.freedesktop.DBus.Peer Ping';
    // Before RAUC runs, so that nobody else may start it either; and while it runs.
    expect((await node.shell(ping, { ...COMMAND, user: 'nobody' })).stderr).toMatch(/[Aa]ccess denied|AccessDenied|Rejected/);
    const asAgent = { ...COMMAND, user: 'lamadist-agent' };
    const rauc = 'de.pengutronix.rauc / de.pengutronix.rauc.Installer';
    await ask(node, `busctl get-property ${rauc} Operation`, asAgent);
    await ask(node, `busctl call ${rauc} GetSlotStatus`, asAgent);
    for (const verb of ['Install s /none', 'Info s /none', 'InstallNothing']) {
      const { stderr } = await node.shell(`busctl call ${rauc} ${verb}`, asAgent);
      expect(stderr, verb).toMatch(/[Aa]ccess denied|AccessDenied|Rejected/);
    }
    await ask(node, ping);
    expect((await node.shell(ping, { ...COMMAND, user: 'nobody' })).exitCode).not.toBe(0);
  });

  it('lets the agent reboot, and do nothing else that needs an administrator', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    const asAgent = { ...COMMAND, user: 'lamadist-agent' };
    const login = 'busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager';
    expect((await node.shell(`${login} PowerOff b false`, asAgent)).exitCode).not.toBe(0);
    expect((await node.shell(`${login} Reboot b false`, { ...COMMAND, user: 'nobody' })).exitCode).not.toBe(0);
    expect((await node.shell('systemctl stop rauc.service', asAgent)).exitCode).not.toBe(0);
    expect((await node.shell('touch /run/nvram/state', asAgent)).exitCode).not.toBe(0);
    await node.shell(`${login} Reboot b false`, asAgent);
    expect(await node.waitForBoot({ ...BOOT, after: one })).toMatchObject({ bootname: 'A' });
  });

  it('keeps the agent in a sandbox that systemd rates 1.5 or better', async () => {
    const node = await startNode();
    await node.waitForBoot(BOOT);
    const verdict = await ask(node, 'systemd-analyze security --no-pager lamadist-agent.service | tail -1');
    const exposure = Number(/: ([\d.]+) /.exec(verdict)?.[1]);
    expect(exposure).toBeLessThanOrEqual(1.5);
  });

  it('records a trial boot once, and none where the agent armed nothing', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    const operation = randomUUID();
    await arm(node, operation);
    await update(node, await image('2'));
    await node.shell('systemctl reboot', COMMAND);
    const two = await node.waitForBoot({ ...BOOT, after: one });
    expect(await node.readFile('/var/lib/lamadist-trial/boots')).toMatch(new RegExp(`^${operation} ${two.bootId} \\S+Z trial\\n$`));
    expect(await node.readFile('/run/lamadist-trial/pending')).toBe(`${operation}\n`);
    await ask(node, 'systemctl restart lamadist-trial.service');
    await node.shell('systemctl reboot', COMMAND);
    await node.waitForBoot({ ...BOOT, after: two });
    expect((await node.readFile('/var/lib/lamadist-trial/boots')).split('\n')).toHaveLength(3);
    expect((await node.shell('cat /run/lamadist-trial/pending', COMMAND)).exitCode).not.toBe(0);
  });

  it('follows no link that stands in the place of what the agent armed', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    await ask(node, `ln -s /etc/shadow ${AGENT}/armed`);
    await node.shell('systemctl reboot', COMMAND);
    await node.waitForBoot({ ...BOOT, after: one });
    expect(await ask(node, 'systemctl is-failed lamadist-trial.service')).toBe('failed');
    expect(await ask(node, 'systemctl is-active lamadist-agent.service')).toBe('active');
  });

  it('gives up a trial at its deadline when the agent commits nothing', async () => {
    const soon = { path: '/etc/systemd/system/lamadist-commit-deadline.timer.d/soon.conf', content: '[Timer]\nOnBootSec=\nOnBootSec=3s\n' };
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    const operation = randomUUID();
    await arm(node, operation);
    await update(node, await image('2', { agent: path.join(FAKES, 'trial-agent.cjs'), files: [soon] }));
    await node.shell('systemctl reboot', COMMAND);
    const back = await until('the way back to slot A', 60_000, async () => {
      const boot = await node.waitForBoot({ ...BOOT, after: one });
      return boot.bootname === 'A' ? boot : undefined;
    });
    expect(back.imageVersion).toBe('1');
    expect(await node.readFile('/var/lib/lamadist-trial/boots')).toMatch(new RegExp(`trial\\n${operation} \\S+ \\S+ deadline\\n$`));
    expect((await node.bootLoaderState()).slots.B).toEqual({ is: 'bad' });
  });

  it('gives up a trial in which the agent cannot be kept running, and says so', async () => {
    const node = await startNode();
    const one = await node.waitForBoot(BOOT);
    const operation = randomUUID();
    await arm(node, operation);
    await update(node, await image('2', { agent: path.join(FAKES, 'crashing-agent.cjs') }));
    await node.shell('systemctl reboot', COMMAND);
    await until('the way back to slot A', 90_000, async () => {
      const boot = await node.waitForBoot({ ...BOOT, after: one });
      return boot.bootname === 'A' ? boot : undefined;
    });
    expect(await node.readFile('/var/lib/lamadist-trial/boots')).toMatch(/ agent-failed exit-code 70\n$/);
    expect(await node.consoleLog()).toMatch(/was not committed: agent-failed/);
  });

  it('refuses to start when no slot is left to boot', async () => {
    const node = await startNode();
    await node.waitForBoot(BOOT);
    await ask(node, "sed -i 's/^slot A .*/slot A bad 0/; s/^last-good .*/last-good none/' /run/nvram/state");
    await node.shell('systemctl reboot', COMMAND);
    await expect(node.waitForBoot({ ...BOOT, after: { number: 1, bootId: '', bootname: 'A', imageVersion: '1' } })).rejects.toThrow(
      'no slot has a try left, and none was ever good',
    );
  });

  it('leaves nothing on the host when it is stopped', async () => {
    const node = await startNode();
    await node.waitForBoot(BOOT);
    await node.stop();
    expect(await leftovers(process.pid)).toEqual([]);
  });

  it('leaves nothing running on the host when its owner is killed, and the next node removes the rest', async () => {
    const script = path.join(FAKES, 'node-owner.ts');
    const owner = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = owner.pid!;
    await new Promise((resolve) => owner.stdout.once('data', resolve));
    expect(await leftovers(pid)).not.toEqual([]);
    owner.kill('SIGKILL');
    await until('the node to go with its owner', 20_000, async () => ((await loops(pid)).length === 0 ? true : undefined));
    await sweep(sayOnStderr);
    expect(await leftovers(pid)).toEqual([]);
  });

  /** The folders on this machine of the nodes of one process. */
  async function foldersOf(pid: number): Promise<string[]> {
    return (await readdir(tmpdir())).filter((name) => ownerOf(name) === pid);
  }

  async function loops(pid: number): Promise<string[]> {
    const list = await run(['losetup', '--list', '--noheadings', '--raw', '--output', 'BACK-FILE'], { timeoutMs: 10_000 });
    const folders = await foldersOf(pid);
    return list.split('\n').filter((line) => folders.some((name) => line.includes(name)));
  }

  async function leftovers(pid: number): Promise<string[]> {
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(`lamadist-node-${pid}-`));
    return [...(await loops(pid)), ...(await foldersOf(pid)), ...mounts];
  }
});
