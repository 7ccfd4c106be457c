// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { NodeConnection } from '../../../../agent/lamactl/node/node.ts';
import { policyWith } from '../../../../agent/lamactl/trust/enrol-node.ts';
import { Failure, type FailureCode } from '../../../../agent/shared/failure.ts';
import { smallUki } from '../../../../qemu/measured-boot/small-uki.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';
import { attesting, homeOf } from '../forged-node.ts';

const { policy } = forge();
const failing = (code: FailureCode, times = Number.POSITIVE_INFINITY): Partial<NodeConnection> => {
  let left = times;
  const good = attesting();
  return {
    ...good,
    tpmKeys: async () => {
      left -= 1;
      if (left >= 0) throw new Failure(code, 'Cannot use the TPM: no');
      return good.tpmKeys();
    },
  };
};

describe('a node that is judged', () => {
  let home: Awaited<ReturnType<typeof homeOf>>;
  afterEach(() => home.remove());

  it('is trusted when its evidence holds', async () => {
    home = await homeOf(attesting(), policy);
    expect(await home.judge()).toMatchObject({ exit: 0, verdict: 'TRUSTED' });
  });

  it('is unattested when it has no TPM and never was enrolled', async () => {
    home = await homeOf(failing('TPM_MISSING'));
    expect(await home.judge()).toMatchObject({ exit: 15, verdict: 'UNATTESTED' });
    expect((await home.run('attest enroll --accept-new')).exit).toBe(15);
  });

  it('is unknown when it has one and never was enrolled', async () => {
    home = await homeOf(attesting());
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', found: expect.stringContaining('lamactl attest enroll') });
  });

  it('is rejected when it says that its TPM is gone', async () => {
    home = await homeOf(failing('TPM_MISSING'), policy);
    expect(await home.judge()).toMatchObject({ exit: 16, verdict: 'REJECTED', reason: 'tpm-gone' });
  });

  it.each(['TPM_LOCKED', 'TPM_UNAVAILABLE', 'NODE_UNREACHABLE'] as const)('is unknown after %s, enrolled or not', async (code) => {
    home = await homeOf(failing(code), policy);
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', error: { code } });
    await home.remove();
    home = await homeOf(failing(code));
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', error: { code } });
  });

  it('may not count less than it did when it was trusted last', async () => {
    home = await homeOf(attesting(), policy);
    expect(await home.judge()).toMatchObject({ verdict: 'TRUSTED' });
    home.node.answers = attesting({ words: { resetCount: 6 } });
    expect(await home.judge()).toMatchObject({ exit: 16, verdict: 'REJECTED', reason: 'clock' });
  });

  it('is judged by counters that are numbers, or not at all', async () => {
    home = await homeOf(attesting(), policy);
    await writeFile(home.file('attic.counters.json'), JSON.stringify({ clock: 'x', reset_count: 7, restart_count: 1 }));
    expect(await home.judge()).toMatchObject({ exit: 3, verdict: 'UNKNOWN', error: { code: 'CONFIG_INVALID' } });
  });

  it('is shown, and counted, although what it proved cannot be kept', async () => {
    home = await homeOf(attesting({ words: { type: 0x8017 } }), policy);
    const { exit, text, errors } = await home.run(`attest run --record /proc/nowhere --metrics-file ${home.file('metrics')}`);
    expect(exit).toBe(3);
    expect(text).toMatch(/attic +REJECTED/);
    expect(errors).toContain('Cannot write to /proc/nowhere');
    expect(await readFile(home.file('metrics'), 'utf8')).toContain('verdict="rejected"} 1');
  });

  it('is judged again though a verdict could not be kept', async () => {
    home = await homeOf(attesting(), policy);
    const line = `attest run --watch 60s --record /proc/nowhere --metrics-file ${home.file('metrics')} -o json`;
    let times = 0;
    home.node.answers = {
      ...attesting(),
      tpmKeys: () => {
        times += 1;
        if (times === 3) home.interrupt();
        return attesting().tpmKeys();
      },
    };
    const { exit, text, errors } = await home.run(line);
    expect([exit, text.trim().split('\n').length, errors.match(/Cannot write to/g)?.length]).toEqual([3, 3, 3]);
    expect(await readFile(home.file('metrics'), 'utf8')).toContain('verdict="trusted"} 1');
  });

  it('has one deadline for all that it is asked', async () => {
    home = await homeOf(attesting(), policy);
    await home.judge(' --timeout 7s');
    expect(home.node.options).toEqual({ timeoutMs: 7_000, inAllMs: 7_000 });
  });

  it('is enrolled and learnt from after a while when too many ask its TPM', async () => {
    home = await homeOf(failing('TPM_BUSY', 3), policy);
    expect((await home.run('attest learn -n attic')).exit).toBe(14);
    await home.remove();
    home = await homeOf(failing('TPM_BUSY', 3));
    const { errors } = await home.run('attest enroll -n attic --accept-new');
    expect(errors).not.toContain('TPM_BUSY');
  });

  it('leaves what the operator pinned as it is when it says the same', async () => {
    const pinned = { values: [...policy.pcrs['7']!.values, '55'.repeat(32)], from: 'operator' as const };
    home = await homeOf(attesting(), { ...policy, pcrs: { ...policy.pcrs, 7: pinned } });
    const { exit, text } = await home.run('attest learn -n attic');
    expect([exit, text]).toEqual([14, expect.stringMatching(/^attic +7 +operator/m)]);
    expect(parse(await home.policy())).toMatchObject({ pcrs: { 7: pinned } });
  });

  it('loses pins and addon when it is enrolled for another bank', () => {
    const { ek_name, ak_name, ek_trust } = policy;
    const before = { ...policy, addon: { digest: '66'.repeat(32) }, previous: policy.pcrs };
    expect(policyWith({ ek_name, ak_name, ek_trust }, 'sha384', before)).toMatchObject({ pcrs: {}, addon: undefined, previous: undefined });
    expect(policyWith({ ek_name, ak_name, ek_trust }, 'sha256', before)).toMatchObject({ addon: before.addon, pcrs: policy.pcrs });
  });

  it('teaches nothing when its evidence is not true', async () => {
    const { 7: _, ...pcrs } = policy.pcrs;
    home = await homeOf(attesting({ words: { type: 0x8017 } }), { ...policy, pcrs });
    const before = await home.policy();
    expect(await home.run('attest learn -n attic')).toMatchObject({ exit: 16, text: expect.stringContaining('type') });
    expect(await home.policy()).toBe(before);
    home.node.answers = attesting();
    expect((await home.run('attest learn -n attic')).exit).toBe(14);
    expect(await home.policy()).toContain('first-use');
  });

  it('teaches nothing that contradicts what is known, unless it is said to', async () => {
    const other = { values: ['55'.repeat(32)], from: 'operator' as const };
    home = await homeOf(attesting(), { ...policy, pcrs: { ...policy.pcrs, 7: other } });
    expect((await home.run('attest learn -n attic')).exit).toBe(2);
    expect((await home.run('attest learn -n attic --replace')).exit).toBe(14);
  });

  it('that runs the image before the last update is said to, wherever it is shown, and compared with that', async () => {
    const other = (pcr: string) => ({ values: ['55'.repeat(32)], from: policy.pcrs[pcr]?.from ?? 'image' });
    const previous = { 4: policy.pcrs['4']!, 11: policy.pcrs['11']! };
    home = await homeOf(attesting(), { ...policy, pcrs: { ...policy.pcrs, 4: other('4'), 11: other('11') }, previous });
    const { text } = await home.run('attest show');
    expect(text).toMatch(/^Image +it runs the image before the last update$/m);
    expect(text).not.toContain('not as expected');
    await home.run(`attest run --save ${home.file('saved')}`);
    const [saved] = await readdir(home.file('saved'));
    const verified = await home.run(`attest verify --evidence ${home.file(`saved/${saved}`)} --policy ${home.file('attic.yaml')}`);
    expect(verified).toMatchObject({ exit: 0, text: expect.stringContaining('it runs the image before the last update') });
  });

  it('may run no image but the one that the operator names, unless both are wanted', async () => {
    const previous = { 4: policy.pcrs['4']!, 11: policy.pcrs['11']! };
    home = await homeOf(attesting(), { ...policy, previous });
    const uki = home.file('new.efi');
    await writeFile(uki, smallUki(257));
    expect((await home.run(`attest learn -n attic --add --uki ${uki}`)).exit).toBe(0);
    expect(await home.policy()).toContain('previous:');
    expect(await home.judge()).toMatchObject({ verdict: 'TRUSTED' });
    expect((await home.run(`attest learn -n attic --uki ${uki}`)).exit).toBe(0);
    expect(await home.policy()).not.toContain('previous:');
    expect(await home.judge()).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value', pcr: 4 });
  });

  it('is asked again for a while when too many ask its TPM', async () => {
    home = await homeOf(failing('TPM_BUSY', 11), policy);
    expect(await home.judge()).toMatchObject({ exit: 0, verdict: 'TRUSTED' });
    home.node.answers = failing('TPM_BUSY');
    expect(await home.judge()).toMatchObject({ exit: 4, verdict: 'UNKNOWN', error: { code: 'TPM_BUSY' } });
  });
});
