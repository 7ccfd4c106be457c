// SPDX-License-Identifier: Apache-2.0
// What the root of a machine can do with its TPM and its logs, judged by lamactl's verifier and the policy that lamactl learnt.
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Challenge, QUOTED_PCRS } from '../../agent/lamactl/attest/challenge.ts';
import { beginEnrolment, endEnrolment } from '../../agent/lamactl/attest/enrolment.ts';
import { EVIDENCE_LIMIT_BYTES, type Evidence, readEvidence } from '../../agent/lamactl/attest/evidence.ts';
import { type Policy, readPolicy } from '../../agent/lamactl/attest/policy.ts';
import { nameOf } from '../../agent/lamactl/attest/tpm/name.ts';
import { readPublic } from '../../agent/lamactl/attest/tpm/public-area.ts';
import type { Rejection } from '../../agent/lamactl/attest/verdict.ts';
import { verify } from '../../agent/lamactl/attest/verify.ts';
import { qualifyingData } from '../../agent/shared/qualifying-data.ts';
import type { Homelab } from '../../qemu/homelab.ts';
import { NO_ACTION, specId } from '../../qemu/measured-boot/measured-boot.ts';
import type { Quote } from '../integration/fakes/tpm-user.ts';
import { believe, expectImage, FIRST_USE, judge, spoil } from '../integration/node/attested-node.ts';
import { QUICK, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';
import { forgeKey } from '../unit/fakes/attest/forged-tpm.ts';
import { MachineTpm } from './machine-tpm.ts';

const QUOTED = `sha256:${QUOTED_PCRS.join(',')}`;
const NOBODY = { roots: [], intermediates: [] };

/** The first event of a log says which banks the others have: TCG PC Client Platform Firmware Profile 1.06, 10.4.5. */
const HEAD_BYTES = 32;
const u32 = (value: number) => Buffer.from([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24]);

/** The log with one more event behind its first, in the banks that it has. */
function withEvent(log: Buffer, pcr: number, data: Buffer, digest = 0): Buffer {
  const bodyAt = HEAD_BYTES + log.readUInt32LE(HEAD_BYTES - 4);
  const algorithms = Array.from({ length: log.readUInt32LE(HEAD_BYTES + 24) }, (_, index) => {
    const at = HEAD_BYTES + 28 + 4 * index;
    return Buffer.concat([log.subarray(at, at + 2), Buffer.alloc(log.readUInt16LE(at + 2), digest)]);
  });
  const event = [u32(pcr), u32(NO_ACTION), u32(algorithms.length), ...algorithms, u32(data.length), data];
  return Buffer.concat([log.subarray(0, bodyAt), ...event, log.subarray(bodyAt)]);
}

const locality = (level: number) => Buffer.concat([Buffer.from('StartupLocality\0'), Buffer.of(level)]);

/** The log in which the firmware says that Secure Boot was off. */
function secureBootOff(log: Buffer): Buffer {
  const name = Buffer.from('SecureBoot', 'utf16le');
  const changed = Buffer.from(log);
  changed[changed.indexOf(name) + name.length] = 0;
  return changed;
}

const challenge = (): Challenge => ({
  nonce: randomBytes(32),
  serverCertificateSha256: randomBytes(32),
  clientCertificateSha256: randomBytes(32),
  bank: 'sha256',
});

/** Enrols the node, and expects of it the image that it runs; returns what it proved, and the policy. */
async function learn(homelab: Homelab): Promise<{ evidence: Evidence; policy: Policy }> {
  await believe(homelab);
  await expectImage(homelab, '1');
  const saved = path.join(homelab.folder, 'evidence');
  expect(await judge(homelab, '--save', saved)).toMatchObject(FIRST_USE);
  const [file = ''] = await readdir(saved);
  const policyFile = path.join(homelab.folder, 'attestation/admin/attic.yaml');
  return {
    evidence: readEvidence(await readFile(path.join(saved, file))),
    policy: readPolicy(await readFile(policyFile, 'utf8'), policyFile),
  };
}

describe('the root of a machine', { timeout: SCENARIO_MS }, () => {
  it('is rejected for its own reason whatever it does with TPM and logs', () =>
    // Its tools are none of the product's.
    onNode({ ignoresDenials: true }, async ({ homelab, node }) => {
      const { evidence: learnt, policy } = await learn(homelab);
      const tpm = await MachineTpm.of(node);
      const keys = { ekPublic: learnt.ek_public, akPublic: learnt.ak_public };

      /** What the node would prove with this quote in the place of an own one. */
      const evidenceFor = async (asked: Challenge, quote?: Quote): Promise<Evidence> => ({
        ...learnt,
        ...(quote ?? (await tpm.quote(QUOTED, qualifyingData(asked)))),
        nonce: asked.nonce,
        server_certificate_sha256: asked.serverCertificateSha256,
        client_certificate_sha256: asked.clientCertificateSha256,
        pcr_values: await tpm.pcrs('sha256', QUOTED_PCRS),
        // IMA measured the tools meanwhile.
        ima_log: Buffer.from((await node.shell('base64 -w0 /sys/kernel/security/ima/binary_runtime_measurements', QUICK)).stdout, 'base64'),
      });
      const rejected = (reason: Rejection['reason'], evidence: Evidence, asked: Challenge, of = policy) =>
        expect(verify({ evidence, challenge: asked, policy: of }), reason).toMatchObject({ verdict: 'REJECTED', reason });

      const asked = challenge();
      const data = qualifyingData(asked);
      const good = await evidenceFor(asked);
      expect(verify({ evidence: good, challenge: asked, policy })).toMatchObject({ verdict: 'TRUSTED (first use)' });

      // PCR aliasing (CVE-2024-29039), and values that were never quoted (CVE-2022-0317).
      rejected('selection', await evidenceFor(asked, await tpm.quote(QUOTED.replace(/15$/, '23'), data)), asked);
      rejected('selection', await evidenceFor(asked, await tpm.quote('sha256:0,1,2,3', data)), asked);
      rejected('unquoted-pcr', { ...good, pcr_values: { ...good.pcr_values, ...(await tpm.pcrs('sha256', [16])) } }, asked);
      // Wrong magic (CVE-2024-29038), signed by the very key of the agent.
      const words = Buffer.concat([Buffer.from([0xff, 0x54, 0x43, 0x48]), good.attest.subarray(4)]);
      rejected('magic', await evidenceFor(asked, await tpm.sign(words)), asked);
      // A replay, and a relay to another session.
      const other = challenge();
      rejected('nonce', good, other);
      rejected('extra-data', { ...good, nonce: other.nonce }, { ...asked, nonce: other.nonce });
      rejected('session', good, { ...asked, serverCertificateSha256: randomBytes(32) });
      // A key that is no child of the EK (CVE-2021-3406).
      const owners = await tpm.createOwnersKey('owners');
      const believing = { ...policy, ak_name: nameOf(readPublic(owners, 'AK')).toString('hex') };
      const byOwner = { ...(await evidenceFor(asked, await tpm.quote(QUOTED, data, 'owners'))), ak_public: owners };
      rejected('ak-changed', byOwner, asked);
      rejected('qualified-signer', byOwner, asked, believing);

      // Logs that are prettier than the boot.
      const told = (log: Partial<Evidence>) => ({ ...good, ...log });
      rejected('uncovered-data', told({ event_log: secureBootOff(good.event_log) }), asked);
      rejected('no-action', told({ event_log: withEvent(good.event_log, 0, Buffer.from('x'), 1) }), asked);
      rejected('recursive-log', told({ event_log: withEvent(good.event_log, 0, specId(['sha256'])) }), asked);
      rejected('startup-locality', told({ event_log: withEvent(good.event_log, 1, locality(0)) }), asked);
      rejected('log-mismatch', told({ event_log: withEvent(good.event_log, 0, locality(3)) }), asked);
      rejected('sha1-only', told({ event_log: Buffer.alloc(32) }), asked);
      rejected('unextended-bank', told({ event_log: Buffer.alloc(0) }), asked);
      const records = good.userspace_log.toString('latin1').split('\x1e').slice(0, -1).join('\x1e');
      rejected('log-mismatch', told({ userspace_log: Buffer.from(records, 'latin1') }), asked);
      rejected('ima-log-mismatch', told({ ima_log: good.ima_log.subarray(0, 0) }), asked);
      expect(() => readEvidence(Buffer.alloc(EVIDENCE_LIMIT_BYTES + 1))).toThrow(/are the most/);

      // Enrolment of a key that signs anything, and of one that was made in software.
      await tpm.tool('createprimary', '-C', 'o', '-G', 'ecc256:ecdsa-sha256:null', '-c', '@free.ctx', '-a', FREE);
      await tpm.tool('readpublic', '-c', '@free.ctx', '-f', 'tss', '-o', '@free.pub');
      const begin = (akPublic: Buffer) =>
        beginEnrolment({ ...keys, akPublic, ekCertificate: Buffer.alloc(0) }, NOBODY, Date.now(), randomBytes);
      expect(begin(await tpm.file('free.pub'))).toMatchObject({ reason: 'ak-not-restricted' });
      const begun = begin(forgeKey('ak').area);
      if ('reason' in begun) throw new Error(begun.found);
      await expect(tpm.activate(begun.credential)).rejects.toThrow();
      expect(endEnrolment(begun, randomBytes(32))).toMatchObject({ reason: 'not-activated' });

      // And what lamactl itself says of a node whose root wrote into a PCR.
      await spoil(node);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'log-mismatch', pcr: 4 });
    }));
});

const FREE = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign';
