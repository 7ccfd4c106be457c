// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificateFingerprint } from '../../../agent/shared/fingerprint.ts';
import { manInTheMiddle } from '../fakes/man-in-the-middle.ts';
import { Administrator, fingerprintOf, newNode, whileJoining } from './administrator.ts';
import { shellOk } from './ask-node.ts';
import { BOOT, QUICK, SCENARIO_MS } from './kind-of-node.ts';

/** Of the exits of lamactl: the endorsement key was believed when it was first seen. */
const FIRST_USE = 14;
const UNCLAIM = 'rm -r /etc/lamadist-agent/tls/* && systemctl restart lamadist-agent';
const WRONG = `sha256:${'0'.repeat(64)}`;

describe('a node without an administrator', { timeout: SCENARIO_MS }, () => {
  it('joins by the fingerprint on its console, is attested, and serves enrolment no more', () =>
    whileJoining(async ({ homelab, administrator }) => {
      const node = await newNode(homelab, 'attic');
      const fingerprint = await fingerprintOf(node);
      expect(await node.consoleLog()).toContain(fingerprint);
      expect(await shellOk(node, 'stat -c "%a %U" /etc/lamadist-agent/tls/node.key')).toBe('600 lamadist-agent\n');

      const joined = await administrator.enroll(node, fingerprint, '--role', 'k3s', '--label', 'site=attic');
      expect(joined).toMatchObject({ exitCode: FIRST_USE, all: expect.stringMatching(/first-use[\s\S]*and signed the logs of this boot/) });
      expect(await administrator.contexts()).toContain('labels: { site: attic, role: k3s }');
      const { nodes } = await administrator.answers<{ nodes: { node: string; state: string }[] }>(['status']);
      expect(nodes).toMatchObject([{ node: 'attic', state: 'healthy' }]);
      expect((await node.shell('cat /run/issue.d/lamadist.issue', QUICK)).exitCode).not.toBe(0);

      const other = await Administrator.create(administrator.file('mallory'));
      expect(await other.enroll(node, fingerprint)).toMatchObject({ exitCode: 7, all: expect.stringContaining('ALREADY_CLAIMED') });
    }));

  it('is not signed when another key answers than the one on its console', () =>
    whileJoining(async ({ homelab, administrator }) => {
      const node = await newNode(homelab, 'attic');
      const refused = await administrator.enroll(node, WRONG);
      expect(refused).toMatchObject({ exitCode: 5, all: expect.stringContaining('NODE_UNTRUSTED') });
      expect(refused.all).toContain(await fingerprintOf(node));
      // Nobody is at the terminal of a test.
      const { host, port } = node;
      const unasked = await administrator.lamactl('enroll', `${host}:${port}`, '--name', 'attic', ...administrator.passphrase);
      expect(unasked).toMatchObject({ exitCode: 2, all: expect.stringContaining('nobody is here to compare') });
      expect(await administrator.answers(['pki', 'list'])).toMatchObject({ certificates: [{ name: 'alice' }] });
    }));

  it('is claimed only by the authority that its kernel command line pins', () =>
    whileJoining(async ({ homelab, administrator }) => {
      const authority = new X509Certificate(await readFile(administrator.file('pki/home/ca.pem')));
      const commandLine = `lamadist.enrol_ca=sha256:${certificateFingerprint(authority)}`;
      const node = await newNode(homelab, 'attic', { commandLine });
      const fingerprint = await fingerprintOf(node);
      const other = await Administrator.create(administrator.file('mallory'));
      expect(await other.enroll(node, fingerprint)).toMatchObject({ exitCode: 6, all: expect.stringContaining('CLAIM_REFUSED') });
      expect((await administrator.enroll(node, fingerprint)).exitCode).toBe(FIRST_USE);
    }));

  it('is either claimed or not when the power is cut at any moment of a claim', () =>
    whileJoining(async ({ homelab, administrator }) => {
      const node = await newNode(homelab, 'attic');
      const ends: string[] = [];
      // The first, the last but one, and the last of the files that a claim writes.
      for (const file of ['labels.json', 'node.pem', 'ca.pem']) {
        const fingerprint = await fingerprintOf(node);
        const claim = administrator.enroll(node, fingerprint, '--replace');
        await node.shell(`until [ -e /etc/lamadist-agent/tls/${file} ]; do :; done`, QUICK);
        await node.cutPower();
        claim.kill('SIGKILL');
        await claim;
        await node.start();
        await node.waitForBoot(BOOT);
        // Nothing on a console tells of a node that is claimed.
        await node.shell('until systemctl is-active --quiet lamadist-agent; do sleep 0.2; done', BOOT);
        const files = await shellOk(node, 'ls /etc/lamadist-agent/tls');
        const claimed = files.split('\n').includes('ca.pem');
        ends.push(claimed ? 'claimed' : 'unclaimed');
        // What was begun is gone on with, whichever of the two it is.
        const again = await administrator.enroll(node, fingerprint, '--replace');
        // A TPM that lost its power a few times within a while locks itself: the node is claimed all the same.
        const locked = again.exitCode === 7 && String(again.all).includes('(0x00000921)');
        expect(locked || again.exitCode === FIRST_USE, `${files}${again.all}`).toBe(true);
        await administrator.succeeds('version', '-n', 'attic');
        await shellOk(node, UNCLAIM);
      }
      process.stderr.write(`Cut during a claim, nodes were ${ends.join(', ')}\n`);
    }));

  it('is what a node becomes again when its certificates are taken away, with another key', () =>
    whileJoining(async ({ homelab, administrator }) => {
      const node = await newNode(homelab, 'attic');
      const before = await fingerprintOf(node);
      expect((await administrator.enroll(node, before)).exitCode).toBe(FIRST_USE);
      await shellOk(node, UNCLAIM);
      const after = await fingerprintOf(node);
      expect(after).not.toBe(before);
      expect((await administrator.enroll(node, after)).all).toContain('--replace');
      expect((await administrator.enroll(node, after, '--replace')).exitCode).toBe(FIRST_USE);
    }));

  it('joins by the TPM that one knows, and nobody can relay what it signs', () =>
    whileJoining(async ({ homelab, administrator }) => {
      const node = await newNode(homelab, 'attic');
      const [address, byTpm] = [`${node.host}:${node.port}`, ['--name', 'attic', '--ek', ...administrator.passphrase]];
      expect((await administrator.lamactl('enroll', address, ...byTpm)).all).toContain('--ek needs --ek-name');
      // Any TPM of that maker would pass.
      const authority = path.join(homelab.folder, 'ca.pem');
      expect((await administrator.lamactl('enroll', address, ...byTpm, '--ek-root', authority)).all).toContain('--ek needs --ek-name');
      const learnt = await administrator.answers<{ attestation: { ek_name: string } }>(
        ['enroll', address, '--name', 'attic', '--fingerprint', await fingerprintOf(node), ...administrator.passphrase],
        [FIRST_USE],
      );
      await shellOk(node, UNCLAIM);
      await fingerprintOf(node);
      const known = ['--replace', '--ek-name', learnt.attestation.ek_name];

      const other = await administrator.lamactl('enroll', address, ...byTpm, '--replace', '--ek-name', '000b'.padEnd(68, '0'));
      expect(other).toMatchObject({ exitCode: 5, all: expect.stringContaining('ek-untrusted') });
      const middle = await manInTheMiddle(address);
      const relayed = await administrator.lamactl('enroll', middle.address, ...byTpm, ...known);
      middle.close();
      expect(relayed).toMatchObject({ exitCode: 5, all: expect.stringContaining('extra-data') });

      const joined = await administrator.lamactl('enroll', address, ...byTpm, ...known);
      expect(joined).toMatchObject({ exitCode: 0, all: expect.stringContaining('operator') });
    }));
});
