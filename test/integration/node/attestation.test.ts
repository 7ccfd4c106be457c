// SPDX-License-Identifier: Apache-2.0
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import { readUkiBehind } from '../../../qemu/image/image-uki.ts';
import {
  DRIVER_CONFIG,
  event,
  GOOD_EVENTS,
  GOOD_FILES,
  NO_ACTION,
  secureBootVariable,
  specId,
  startupLocality,
  writeEventLog,
  writeImaLog,
} from '../../../qemu/measured-boot.ts';
import { NODE_TCTI } from '../../../qemu/namespace/tpm.ts';
import { agentAnswers, BOOT, json, onNode, QUICK, SCENARIO_MS, type Scenario } from './scenario.ts';

interface Judged {
  readonly verdict: string;
  readonly reason?: string;
  readonly pcr?: number;
  readonly found?: string;
}

async function judge(homelab: Homelab, ...options: string[]): Promise<Judged> {
  const { nodes } = await json<{ nodes: Judged[] }>(homelab, 'attest', 'run', ...options);
  return nodes[0]!;
}

const FIRST_USE = { verdict: 'TRUSTED (first use)' };

/** The image of a version as the boot loader finds it, on the administrator's disk. */
async function ukiFile(homelab: Homelab, version: string): Promise<string> {
  const file = path.join(homelab.folder, `v${version}.efi`);
  await writeFile(file, (await readUkiBehind((await homelab.image(version)).path)) ?? '');
  return file;
}

/** Enrols the node, believes its firmware, and expects version 1 of it. */
async function enrol(homelab: Homelab): Promise<void> {
  expect((await homelab.lamactl(['attest', 'enroll', '--accept-new'])).exitCode).toBe(14);
  expect((await homelab.lamactl(['attest', 'learn', '-n', 'attic'])).exitCode).toBe(14);
  expect((await homelab.lamactl(['attest', 'learn', '-n', 'attic', '--uki', await ukiFile(homelab, '1')])).exitCode).toBe(0);
}

const onEnrolledNode = (test: (scenario: Scenario) => Promise<void>) =>
  onNode({}, async (scenario) => {
    await enrol(scenario.homelab);
    await test(scenario);
  });

/** Runs one of tpm2-tools on the node, as its root. */
async function tpm(node: VirtualNode, command: string): Promise<void> {
  const { exitCode, stderr } = await node.shell(`TPM2TOOLS_TCTI=${NODE_TCTI} tpm2_${command}`, QUICK);
  if (exitCode !== 0) throw new Error(stderr);
}

async function restartAgent(homelab: Homelab, node: VirtualNode): Promise<void> {
  await node.shell('systemctl restart lamadist-agent.service', QUICK);
  await agentAnswers(homelab);
}

/** Has the agent look for its TPM elsewhere. */
async function useTpm(homelab: Homelab, node: VirtualNode, tcti: string): Promise<void> {
  const drop = '/run/systemd/system/lamadist-agent.service.d/zz-tpm.conf';
  await node.shell(`printf '[Service]\\nEnvironment=TPM2TOOLS_TCTI=${tcti}\\n' >${drop} && systemctl daemon-reload`, QUICK);
  await restartAgent(homelab, node);
}

describe('attestation of a whole node, measured by the launcher', { timeout: SCENARIO_MS }, () => {
  it('trusts a node that was enrolled and learnt of, and says for ever what it believed', () =>
    onNode({}, async ({ homelab, node }) => {
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNKNOWN', found: expect.stringContaining('lamactl attest enroll') });
      const refused = await homelab.lamactl(['attest', 'enroll']);
      expect(refused).toMatchObject({ exitCode: 2, all: expect.stringContaining('--accept-new') });
      await enrol(homelab);
      expect(await judge(homelab)).toMatchObject({ ...FIRST_USE, believed: ['endorsement key', 'PCR 0', 'PCR 2', 'PCR 7'] });

      const boot = await node.waitForBoot(BOOT);
      await node.shell('systemctl reboot', QUICK);
      await node.waitForBoot({ ...BOOT, after: boot });
      await agentAnswers(homelab);
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
      expect((await homelab.lamactl(['attest', 'enroll', '--accept-new'])).all).toContain('it is enrolled already');
    }));

  it('saves evidence and records verdicts that can be judged again without the node', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      const at = (name: string) => path.join(homelab.folder, name);
      await judge(homelab, '--save', at('evidence'), '--record', at('record.jsonl'), '--metrics-file', at('attest.prom'));
      await tpm(node, `pcrextend 15:sha256=${'1'.repeat(64)}`);
      await judge(homelab, '--record', at('record.jsonl'));
      await node.cutPower();
      const [saved] = await readdir(at('evidence'));
      const policy = at('attestation/admin/attic.yaml');
      expect((await homelab.lamactl(['attest', 'verify', '--evidence', at(`evidence/${saved}`), '--policy', policy])).exitCode).toBe(14);
      const record = await homelab.lamactl(['attest', 'record', '--file', at('record.jsonl')]);
      expect(record).toMatchObject({
        exitCode: 0,
        all: expect.stringMatching(/TRUSTED \(first use\) +the same\n.*REJECTED \(log-mismatch\) +the same\n/),
      });
      expect(await judge(homelab, '--timeout', '2s')).toMatchObject({ verdict: 'UNKNOWN' });
    }));

  it('rejects another image than the one that is expected', () =>
    onEnrolledNode(async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value', pcr: 4 });
      await homelab.lamactl(['attest', 'learn', '-n', 'attic', '--uki', await ukiFile(homelab, '2')]);
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
    }));

  it('rejects what root did to a PCR after the boot, and shows the events behind it', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
      await tpm(node, `pcrextend 4:sha256=${'1'.repeat(64)}`);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'log-mismatch', pcr: 4 });
      const log = [...GOOD_EVENTS, event(4, 0xd, 'init=/bin/sh')];
      await node.shell('cat >/run/measured/firmware', { ...QUICK, input: writeEventLog(log) });
      const shown = await homelab.lamactl(['attest', 'show']);
      expect(shown).toMatchObject({ exitCode: 16, all: expect.stringMatching(/new +firmware \d+ +EV_IPL +[0-9a-f]{16} +init=\/bin\/sh/) });
    }));

  it('rejects logs that are prettier than the boot, each for its own reason', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      const good = await node.shell('base64 -w0 /run/measured/firmware', QUICK);
      const real = Buffer.from(good.stdout, 'base64');
      const beforeEvents = 4 + 4 + 20 + 4 + specId(['sha1', 'sha256']).length;
      const prefixed = (first: Parameters<typeof writeEventLog>[0][number]) =>
        Buffer.concat([writeEventLog([first]), real.subarray(beforeEvents)]);
      const secureBootOff = GOOD_EVENTS.map((each) => (each.type === DRIVER_CONFIG ? { ...each, data: secureBootVariable(0) } : each));
      const forged: readonly (readonly [reason: string, file: string, content: Buffer])[] = [
        ['uncovered-data', 'firmware', writeEventLog(secureBootOff)],
        ['no-action', 'firmware', prefixed({ ...event(0, NO_ACTION, 'x'), hasDigest: true })],
        ['recursive-log', 'firmware', prefixed(event(0, NO_ACTION, specId(['sha256'])))],
        ['startup-locality', 'firmware', prefixed(startupLocality(1, 0))],
        ['log-mismatch', 'firmware', prefixed(startupLocality(0, 3))],
        ['sha1-only', 'firmware', writeEventLog(GOOD_EVENTS, ['sha1'])],
        ['unextended-bank', 'firmware', Buffer.alloc(0)],
        ['malformed', 'firmware', Buffer.concat([real, Buffer.alloc(5 << 20)])],
        ['log-mismatch', 'userspace', Buffer.alloc(0)],
        ['ima-log-mismatch', 'ima', writeImaLog(GOOD_FILES.slice(1))],
      ];
      for (const [reason, file, content] of forged) {
        await node.shell(`cp -p /run/measured/${file} /run/kept && cat >/run/measured/${file}`, { ...QUICK, input: content });
        expect(await judge(homelab), reason).toMatchObject({ verdict: 'REJECTED', reason });
        await node.shell(`cat /run/kept >/run/measured/${file}`, QUICK);
      }
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
    }));

  it('lets IMA go on while it is asked', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      const more = writeImaLog([{ path: '/later', hash: '55'.repeat(32) }]);
      await node.shell('cat >>/run/measured/ima', { ...QUICK, input: more });
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
    }));

  it('rejects another attestation key, and another TPM', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      await tpm(node, 'evictcontrol -C o -c 0x81010020');
      await restartAgent(homelab, node);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'ak-changed' });
      await tpm(node, 'changeeps');
      await restartAgent(homelab, node);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'ek-changed' });
      // Only the administrator can say that this is right.
      expect((await homelab.lamactl(['attest', 'enroll', '--accept-new', '--replace'])).exitCode).toBe(14);
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
    }));

  it('does not quote with a key that somebody put in the place of its own', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      await tpm(node, 'evictcontrol -C o -c 0x81010020');
      const key =
        'createprimary -Q -C o -G ecc256:ecdsa-sha256:null -c /tmp/k -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"';
      await tpm(node, key);
      await tpm(node, 'evictcontrol -Q -C o -c /tmp/k 0x81010020');
      await tpm(node, 'flushcontext -t');
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNKNOWN', found: expect.stringContaining('another key is at 0x81010020') });
    }));

  it('shows a node without a TPM as unattested, and one whose TPM does not answer as unknown', () =>
    onNode({}, async ({ homelab, node }) => {
      await useTpm(homelab, node, 'device:/dev/tpmrm0');
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNATTESTED' });
      expect((await homelab.lamactl(['attest', 'run'])).exitCode).toBe(15);
      expect((await homelab.lamactl(['attest', 'enroll', '--accept-new'])).exitCode).toBe(15);
      await useTpm(homelab, node, 'swtpm:path=/run/swtpm/none');
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNKNOWN' });
      expect((await homelab.lamactl(['attest', 'run'])).exitCode).toBe(4);
    }));

  it('rejects a node that was enrolled and says that it has no TPM', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      await useTpm(homelab, node, 'device:/dev/tpmrm0');
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'tpm-gone' });
      expect((await homelab.lamactl(['attest', 'run'])).exitCode).toBe(16);
    }));

  it('trusts a node after power cuts, however often it quoted before', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      for (let cut = 1; cut <= 4; cut++) {
        expect(await judge(homelab)).toMatchObject(FIRST_USE);
        await node.cutPower();
        await node.start();
        await node.waitForBoot(BOOT);
        await agentAnswers(homelab);
      }
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
    }));

  it('lets a reader ask, and nobody with less', () =>
    onEnrolledNode(async ({ homelab }) => {
      await homelab.writeIdentity('monitor');
      const { exitCode, all } = await homelab.lamactl(['attest', 'enroll', '--accept-new'], { role: 'monitor' });
      expect({ exitCode, all }).toMatchObject({ exitCode: 6, all: expect.stringContaining('the least role for it is reader') });
    }));
});
