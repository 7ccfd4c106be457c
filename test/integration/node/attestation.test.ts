// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
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
} from '../../../qemu/measured-boot/measured-boot.ts';
import { agentAnswers, shellOk } from './ask-node.ts';
import { believe, expectImage, FIRST_USE, judge, onEnrolledNode, spoil, tpm } from './attested-node.ts';
import { BOOT, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { onNode } from './scenario.ts';

async function restartAgent(homelab: Homelab, node: VirtualNode): Promise<void> {
  await shellOk(node, 'systemctl restart lamadist-agent.service', BOOT);
  await agentAnswers(homelab);
}

/** Has the agent look for its TPM elsewhere. */
async function useTpm(homelab: Homelab, node: VirtualNode, tcti: string): Promise<void> {
  const folder = '/run/systemd/system/lamadist-agent.service.d';
  const dropIn = `[Service]\\nEnvironment=TPM2TOOLS_TCTI=${tcti}\\n`;
  await shellOk(node, `mkdir -p ${folder} && printf '${dropIn}' >${folder}/zz-tpm.conf && systemctl daemon-reload`);
  await restartAgent(homelab, node);
}

/** Whoever leaves a node off cannot ask what was denied on it. */
const LEFT_OFF = { ignoresDenials: true } as const;
const NO_TPM = 'device:/dev/no-tpm';
/** It takes every command, and says nothing. */
const SILENT_TPM = 'device:/dev/null';

/** Only the administrator can say that other keys are right. */
async function enrolAgain(homelab: Homelab): Promise<void> {
  expect((await homelab.lamactl(['attest', 'enroll', '--accept-new', '--replace'])).exitCode).toBe(14);
  expect(await judge(homelab)).toMatchObject(FIRST_USE);
}

describe('attestation of a whole node', { timeout: SCENARIO_MS }, () => {
  it('trusts a node that was enrolled and learnt of, and says for ever what it believed', () =>
    onNode({}, async ({ homelab, node }) => {
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNKNOWN', found: expect.stringContaining('lamactl attest enroll') });
      const refused = await homelab.lamactl(['attest', 'enroll']);
      expect(refused).toMatchObject({ exitCode: 2, all: expect.stringContaining('--accept-new') });
      await believe(homelab);
      await expectImage(homelab, '1');
      expect(await judge(homelab)).toMatchObject(FIRST_USE);

      const boot = await node.waitForBoot(BOOT);
      await shellOk(node, 'systemctl reboot');
      await node.waitForBoot({ ...BOOT, after: boot });
      await agentAnswers(homelab);
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
      expect((await homelab.lamactl(['attest', 'enroll', '--accept-new'])).all).toContain('it is enrolled already');
    }));

  it('saves evidence and records verdicts that can be judged again without the node', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      const at = (name: string) => path.join(homelab.folder, name);
      await judge(homelab, '--save', at('evidence'), '--record', at('record.jsonl'), '--metrics-file', at('attest.prom'));
      await spoil(node, 15);
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
    }, LEFT_OFF));

  it('rejects another image than the one that is expected', () =>
    onEnrolledNode(async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value', pcr: 4 });
      await expectImage(homelab, '2');
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
    }));

  it('rejects what root did to a PCR after the boot', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
      await spoil(node);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'log-mismatch', pcr: 4 });
    }));

  it('shows the events behind a PCR that is another than before', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      expect(await judge(homelab)).toMatchObject(FIRST_USE);
      await spoil(node);
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

  it('rejects another attestation key', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      await tpm(node, 'evictcontrol -C o -c 0x81010020');
      await restartAgent(homelab, node);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'ak-changed' });
      await enrolAgain(homelab);
    }));

  it('rejects another TPM', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      await tpm(node, 'changeeps');
      await restartAgent(homelab, node);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'ek-changed' });
      await enrolAgain(homelab);
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
      await useTpm(homelab, node, NO_TPM);
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNATTESTED' });
      expect((await homelab.lamactl(['attest', 'run'])).exitCode).toBe(15);
      expect((await homelab.lamactl(['attest', 'enroll', '--accept-new'])).exitCode).toBe(15);
      await useTpm(homelab, node, SILENT_TPM);
      expect(await judge(homelab)).toMatchObject({ verdict: 'UNKNOWN' });
      expect((await homelab.lamactl(['attest', 'run'])).exitCode).toBe(4);
    }));

  it('rejects a node that was enrolled and says that it has no TPM', () =>
    onEnrolledNode(async ({ homelab, node }) => {
      await useTpm(homelab, node, NO_TPM);
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
