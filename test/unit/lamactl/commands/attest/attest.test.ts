// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeEvidence } from '../../../../../agent/lamactl/attest/evidence.ts';
import { printable } from '../../../../../agent/shared/printable.ts';
import { GOOD_BOOT, GOOD_EVENTS, GOOD_FILES, pcrValues, writeEventLog } from '../../../../../qemu/measured-boot/measured-boot.ts';
import { smallAddon, smallUki } from '../../../../../qemu/measured-boot/small-uki.ts';
import { type Forgery, forge } from '../../../fakes/attest/forged-tpm.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

/** A world without a context: none of this needs one. */
function bareWorld(): FakeWorld {
  const world = new FakeWorld({}, certificates);
  world.env.LAMACTL_CONFIG = '/nonexistent';
  return world;
}

async function judge(forgery: Forgery, more = ''): Promise<{ exit: number; world: FakeWorld }> {
  const folder = await temporaryFolder();
  const { evidence, policy } = forge(forgery);
  await writeFile(join(folder, 'evidence'), writeEvidence(evidence));
  await writeFile(join(folder, 'policy'), JSON.stringify(policy));
  const world = bareWorld();
  return { exit: await world.run(`attest verify --evidence ${folder}/evidence --policy ${folder}/policy${more}`), world };
}

async function fileOf(bytes: Buffer): Promise<string> {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, bytes);
  return file;
}

describe('lamactl attest verify', () => {
  it('trusts evidence that holds', async () => {
    const { exit, world } = await judge({});
    expect([exit, world.stdout.text]).toEqual([0, 'Verdict      TRUSTED\nEvidence of  2026-11-20T12:00:00Z\n']);
  });

  it('says what was believed at first use, and ends with a code of its own', async () => {
    const { exit, world } = await judge({ policy: { ek_trust: 'first-use' } });
    expect(exit).toBe(14);
    expect(world.stdout.text).toMatch(/^Verdict +TRUSTED \(first use\)$/m);
    expect(world.stdout.text).toMatch(/^Believed +endorsement key$/m);
  });

  it('says why evidence is rejected, with PCR and event', async () => {
    const events = GOOD_EVENTS.map((each) => (each.type === 4 ? { ...each, measured: Buffer.from('x') } : each));
    const { exit, world } = await judge({ boot: { ...GOOD_BOOT, events } }, ' -o json');
    expect(exit).toBe(16);
    expect(world.json()).toMatchObject({ verdict: 'REJECTED', reason: 'uncovered-data', pcr: 0, event: 'firmware event 8 (EV_SEPARATOR)' });
  });

  it('prints nothing that drives a terminal, whatever a path in a log or a field of a file is called', async () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u202eTRUSTED';
    const forgery = {
      boot: { ...GOOD_BOOT, files: [...GOOD_FILES, { path: evil, hash: '66'.repeat(32) }] },
      policy: { ima_files: Object.fromEntries(GOOD_FILES.map(({ path, hash }) => [path, [`sha256:${hash}`]])) },
    };
    const { exit, world } = await judge(forgery);
    expect([exit, world.stdout.text]).toEqual([16, expect.stringMatching(/^Found +\uFFFD\]0;owned/m)]);
    const document = (await judge(forgery, ' -o yaml')).world.stdout.text;
    const { evidence } = forge();
    const file = await fileOf(Buffer.from(JSON.stringify({ ...JSON.parse(writeEvidence(evidence)), [evil]: 1 })));
    const policy = await fileOf(Buffer.from(JSON.stringify(forge().policy)));
    const refused = bareWorld();
    expect(await refused.run(`attest verify --evidence ${file} --policy ${policy}`)).toBe(16);
    expect(refused.stderr.text).toContain('owned');
    for (const text of [world.stdout.text, document, refused.stderr.text]) expect(text).toBe(printable(text));
  });

  it('ends with 3 when a file is not there, or is no policy', async () => {
    const world = bareWorld();
    expect(await world.run('attest verify --evidence /nonexistent --policy /nonexistent')).toBe(3);
    expect(world.stderr.text).toContain('Cannot read /nonexistent: it does not exist');
    const file = await fileOf(Buffer.from('{}'));
    expect(await bareWorld().run(`attest verify --evidence ${file} --policy ${file}`)).toBe(3);
    expect(await bareWorld().run('attest verify --evidence / --policy /')).toBe(3);
  });

  it('ends with 2 without files', async () => {
    expect(await bareWorld().run('attest verify')).toBe(2);
    expect(await bareWorld().run('attest')).toBe(2);
  });
});

describe('lamactl attest replay', () => {
  it('leads from a log to the PCRs of the boot', async () => {
    const world = bareWorld();
    expect(await world.run(`attest replay --log ${await fileOf(writeEventLog(GOOD_EVENTS))} -o json`)).toBe(0);
    const expected = pcrValues({ events: GOOD_EVENTS, phases: [], files: [] });
    const pcrs = Object.fromEntries(Object.entries(expected).map(([pcr, value]) => [pcr, value.toString('hex')]));
    expect(world.json()).toEqual({ bank: 'sha256', events: GOOD_EVENTS.length, pcrs });
  });

  it('refuses a log that has no digests of the bank', async () => {
    const world = bareWorld();
    expect(await world.run(`attest replay --bank sha384 --log ${await fileOf(writeEventLog(GOOD_EVENTS))}`)).not.toBe(0);
    expect(world.stderr.text).toContain('Cannot read the firmware event log: it has no digests of sha384');
  });
});

describe('lamactl attest learn', () => {
  it('prints what a policy needs of an image', async () => {
    const world = bareWorld();
    expect(await world.run(`attest learn --uki ${await fileOf(smallUki(257))}`)).toBe(0);
    expect(world.stdout.text).toMatch(
      /^pcr_bank: sha256\npcrs:\n {2}"4":\n {4}from: image\n {4}values:\n( {6}- [0-9a-f]{64}\n){2} {2}"11":/,
    );
  });

  it('takes the profile that is asked for', async () => {
    const file = await fileOf(smallUki(257, ['.profile', 'ID=one'], ['.profile', 'ID=two'], ['.cmdline', 'other']));
    const learnt = await Promise.all(
      ['', ' --profile 0', ' --profile @1'].map(async (option) => {
        const world = bareWorld();
        expect(await world.run(`attest learn -o json --uki ${file}${option}`)).toBe(0);
        return world.stdout.text;
      }),
    );
    expect(learnt[0]).toBe(learnt[1]);
    expect(learnt[2]).not.toBe(learnt[0]);
    expect(await bareWorld().run(`attest learn --uki ${file} --profile 2`)).not.toBe(0);
    expect(await bareWorld().run(`attest learn --uki ${file} --profile x`)).toBe(2);
  });

  it.each([
    ['--loader /nonexistent', 'loader'],
    ['--bundle-metadata', 'bundle-metadata'],
    ['--add', 'add'],
    ['--no-addon', 'no-addon'],
    ['--bank sha384 -n attic', 'bank'],
    ['--uki UKI --replace', 'replace'],
    ['--uki UKI --add', 'add'],
    ['--uki UKI --no-addon', 'no-addon'],
    ['--uki UKI -n attic --bank sha384', 'bank'],
    ['--uki UKI -n attic --bundle-metadata', 'bundle-metadata'],
  ])('refuses what would do nothing: %s', async (options, flag) => {
    const world = bareWorld();
    expect(await world.run(`attest learn ${options.replace('UKI', await fileOf(smallUki(257)))}`)).toBe(2);
    expect(world.stderr.text).toContain(`Cannot use --${flag} here`);
  });

  it('names a file that is no image', async () => {
    const world = bareWorld();
    const file = await fileOf(Buffer.from('no image'));
    expect(await world.run(`attest learn --uki ${file}`)).toBe(2);
    expect(world.stderr.text).toContain(`Cannot use ${file}: Cannot read the PE file`);
    expect(world.stderr.text).not.toContain('evidence');
    expect(await world.run(`attest learn --uki ${await fileOf(smallUki(257))} --loader ${file}`)).toBe(2);
  });

  it('adds what the addon of a node leads to, which no bundle can know', async () => {
    const [uki, addon] = [await fileOf(smallUki(257)), await fileOf(smallAddon('systemd.hostname=attic'))];
    const world = bareWorld();
    expect(await world.run(`attest learn -o json --uki ${uki} --addon ${addon}`)).toBe(0);
    expect(Object.keys((world.json() as { pcrs: object }).pcrs)).toEqual(['4', '11', '12']);
    expect(await bareWorld().run(`attest learn --uki ${uki} --addon ${uki}`)).not.toBe(0);
    expect(await bareWorld().run(`attest learn --addon ${addon}`)).toBe(2);
    expect(await bareWorld().run(`attest learn --uki ${uki} --addon ${addon} --bundle-metadata`)).toBe(2);
  });

  it('refuses what is no image', async () => {
    const world = bareWorld();
    expect(await world.run(`attest learn --uki ${await fileOf(Buffer.from('no image'))}`)).not.toBe(0);
    expect(world.stderr.text).toContain('Cannot read the PE file');
  });
});
