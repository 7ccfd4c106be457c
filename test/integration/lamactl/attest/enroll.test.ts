// SPDX-License-Identifier: Apache-2.0
// Enrolment as an administrator does it, over the real protocol, with a real swtpm that has a maker's certificate.
import { execFileSync } from 'node:child_process';
import { access, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Attester } from '../../../../agent/daemon/attestation/attester.ts';
import type { TpmIdentity } from '../../../../agent/daemon/attestation/tpm.ts';
import { Tpm2Tools } from '../../../../agent/daemon/platform/tpm2/tpm2-tools.ts';
import { Tpm2Tpm } from '../../../../agent/daemon/platform/tpm2/tpm2-tpm.ts';
import { systemClock } from '../../../../agent/daemon/timing/clock.ts';
import type { Policy } from '../../../../agent/lamactl/attest/policy.ts';
import { nameOf } from '../../../../agent/lamactl/attest/tpm/name.ts';
import { readPublic } from '../../../../agent/lamactl/attest/tpm/public-area.ts';
import { keyObject } from '../../../../agent/lamactl/attest/tpm/signature.ts';
import { processWorld } from '../../../../agent/lamactl/process-world.ts';
import { lamactl } from '../../../../agent/lamactl/program.ts';
import { forgeKey } from '../../../unit/fakes/attest/forged-tpm.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';
import { SoftwareTpm } from '../../fakes/software-tpm.ts';

const NEVER = new AbortController().signal;
const EMPTY = Buffer.alloc(0);
/** Where the maker of a TPM puts the certificate of an EK on P-256. */
const CERTIFICATE_INDEX = '0x1c0000a';

describe('lamactl attest enroll', { timeout: 120_000 }, () => {
  let tpm: SoftwareTpm;
  let server: AgentServer;
  let folder: string;
  let identity: TpmIdentity;
  /** What a node that lies says in the place of what is true. */
  let lie: Partial<TpmIdentity> = {};

  const openssl = (...argv: string[]) => execFileSync('openssl', argv, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });

  /** A root, and a certificate by it for this key. */
  function certify(name: string, publicKey: string): Buffer {
    openssl(
      ...`req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.pem`.split(
        ' ',
      ),
    );
    execFileSync('tee', [join(folder, 'ek.pub.pem')], { input: publicKey });
    execFileSync('tee', [join(folder, 'ek.ext')], { input: 'extendedKeyUsage=2.23.133.8.1\n' });
    const issuer = `-CA ${name}.pem -CAkey ${name}.key -extfile ek.ext -days 2 -outform DER`;
    return openssl(...`x509 -new -force_pubkey ek.pub.pem -subj /CN=ek ${issuer}`.split(' '));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lamadist-enroll-'));
    tpm = await SoftwareTpm.start();
    const attester = new Attester(
      new Tpm2Tpm(new Tpm2Tools(tpm.tcti), folder, join(folder, 'ak-name')),
      async () => ({ firmware: EMPTY, userspace: EMPTY, ima: EMPTY }),
      systemClock,
    );
    identity = await attester.identity({ asker: 'the test', signal: NEVER });
    const pem = String(keyObject(readPublic(identity.ekPublic, 'EK').key)?.export({ type: 'spki', format: 'pem' }));
    // Some makers leave padding behind it.
    const padded = Buffer.concat([certify('maker', pem), Buffer.alloc(64, 0xff)]);
    await writeFile(join(folder, 'certificate'), padded);
    certify('stranger', pem);
    const attributes = 'ppwrite|ppread|authread|ownerread|platformcreate|no_da';
    await tpm.tool('nvdefine', CERTIFICATE_INDEX, '-C', 'p', '-s', String(padded.length), '-a', attributes);
    await tpm.tool('nvwrite', CERTIFICATE_INDEX, '-C', 'p', '-i', join(folder, 'certificate'));

    server = await startAgentServer({
      identity: async (asking) => ({ ...(await attester.identity(asking)), ...lie }),
      activate: (credential, asking) => attester.activate(credential, asking),
      evidence: (bank, session, asking) => attester.evidence(bank, session, asking),
    });
    const { certificate, key } = await server.pki.client('operator');
    await writeFile(join(folder, 'ca.pem'), server.pki.agentAuthority.certificate);
    await writeFile(join(folder, 'me.pem'), certificate);
    await writeFile(join(folder, 'me.key'), key, { mode: 0o600 });
    const context = { ca: 'ca.pem', certificate: 'me.pem', key: 'me.key', nodes: { attic: { address: server.address } } };
    await writeFile(join(folder, 'config.yaml'), JSON.stringify({ contexts: { home: context } }));
  });
  afterAll(async () => {
    await server?.stop();
    await tpm?.end();
    await rm(folder, { recursive: true, force: true });
  });

  async function enroll(...options: string[]) {
    await rm(join(folder, 'attestation'), { recursive: true, force: true });
    return enrollToo(...options);
  }

  /** With what was enrolled before. */
  async function enrollToo(...options: string[]) {
    const printed: string[] = [];
    const output = { isTerminal: false, columns: 100, rows: 0, write: (text: string) => void printed.push(text) };
    const world = { ...processWorld(), stdout: output, stderr: output, env: { LAMACTL_CONFIG: join(folder, 'config.yaml') } };
    const exit = await lamactl(['attest', 'enroll', ...options], world);
    return { exit, text: printed.join('') };
  }
  const root = (name: string) => ['--ek-root', join(folder, `${name}.pem`)];
  const ekName = () => nameOf(readPublic(identity.ekPublic, 'EK')).toString('hex');

  it('believes an endorsement key for the certificate of its maker', async () => {
    expect(await enroll(...root('maker'))).toMatchObject({ exit: 0, text: expect.stringMatching(/^Enrolled +chain$/m) });
    expect(await enroll(...root('maker'), '--ek-intermediate', join(folder, 'stranger.pem'), '--ek-name', ekName())).toMatchObject({
      exit: 0,
    });
  });

  it('believes it for a name that the operator compared', async () => {
    expect(await enroll('--ek-name', ekName())).toMatchObject({ exit: 0, text: expect.stringMatching(/^Enrolled +operator$/m) });
    expect(await enroll('--ek-name', `000b${'0'.repeat(64)}`)).toMatchObject({ exit: 16, text: expect.stringContaining('ek-untrusted') });
    expect(await enroll('--ek-name', 'x')).toMatchObject({ exit: 2 });
  });

  it('believes it for nothing only when it is told to', async () => {
    expect(await enroll()).toMatchObject({ exit: 2, text: expect.stringContaining('--accept-new') });
    expect(await enroll('--accept-new')).toMatchObject({ exit: 14, text: expect.stringMatching(/^Enrolled +first-use$/m) });
  });

  it('refuses a TPM that another node was enrolled with', async () => {
    await enroll('--accept-new');
    const policies = join(folder, 'attestation', 'home');
    await rename(join(policies, 'attic.yaml'), join(policies, 'cellar.yaml'));
    const text = expect.stringMatching(/Cannot enroll attic: cellar is enrolled with the very same TPM/);
    expect(await enrollToo('--accept-new')).toMatchObject({ exit: 2, text });
    await rename(join(policies, 'cellar.yaml'), join(policies, 'attic.yaml'));
    expect(await enrollToo('--accept-new', '--replace')).toMatchObject({ exit: 14 });
  });

  it('forgets, with the keys before, what their TPM counted, and keeps what is expected of the image', async () => {
    await enroll('--accept-new');
    const kept = (file: string) => join(folder, 'attestation/home', file);
    const policy = async () => parse(await readFile(kept('attic.yaml'), 'utf8')) as Policy;
    const pcrs = { 4: { from: 'image', values: ['44'.repeat(32)] } };
    const write = async () => {
      await writeFile(kept('attic.yaml'), JSON.stringify({ ...(await policy()), pcr_bank: 'sha256', pcrs, previous: pcrs }));
      await writeFile(kept('attic.counters.json'), JSON.stringify({ clock: '9', reset_count: 9, restart_count: 9 }));
    };
    await write();
    expect(await enrollToo('--accept-new', '--replace')).toMatchObject({ exit: 14 });
    await expect(access(kept('attic.counters.json'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await policy()).toMatchObject({ pcr_bank: 'sha256', pcrs, previous: pcrs });
    await write();
    expect(await enrollToo('--accept-new', '--replace', '--bank', 'sha384')).toMatchObject({ exit: 14 });
    // Digests of another length than those of the bank would never be quoted.
    expect(await policy()).toMatchObject({ pcr_bank: 'sha384', pcrs: {} });
    expect(await policy()).not.toHaveProperty('previous');
  });

  it('rejects one that another maker vouches for, even when what is new is accepted', async () => {
    expect(await enroll(...root('stranger'), '--accept-new')).toMatchObject({ exit: 16, text: expect.stringContaining('ek-untrusted') });
  });

  it.each([
    ['an attestation key made in software (CVE-2021-3406)', 'not-activated', () => ({ akPublic: forgeKey('ak').area })],
    ['an endorsement key made in software', 'not-activated', () => ({ ekPublic: forgeKey('ek').area, ekCertificate: EMPTY })],
    ["the certificate of another TPM's key", 'ek-certificate', () => ({ ekPublic: forgeKey('ek').area })],
    ['an attestation key that signs anything', 'ak-not-restricted', () => ({ akPublic: forgeKey('ak', 0x40032).area })],
  ])('rejects %s', async (_, reason, made) => {
    lie = made();
    try {
      expect(await enroll('--accept-new')).toMatchObject({ exit: 16, text: expect.stringContaining(reason) });
    } finally {
      lie = {};
    }
  });

  it('says what is wrong with a file of roots', async () => {
    expect(await enroll('--ek-root', join(folder, 'ek.ext'))).toMatchObject({ exit: 3, text: expect.stringContaining('ek.ext') });
  });
});
