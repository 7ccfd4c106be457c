// SPDX-License-Identifier: Apache-2.0
// What the layer signs PCR 11 for, when it builds a UKI, is what lamactl expects of a node that booted it. Two programs in two
// languages have to agree: a UKI is signed with what a build has, Python, and an administrator has lamactl.
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { expectedPcr11 } from '../../agent/lamactl/attest/image/expected-pcrs.ts';
import type { Uki } from '../../agent/lamactl/attest/image/uki.ts';

const LIB = path.join(import.meta.dirname, '../../meta-lamadist/lib');
const CALCULATE = `
import json, sys
sys.path.insert(0, sys.argv[1])
from lamadist.pcr_policy import PHASES, after_stub, extend
value = after_stub({name: text.encode() for name, text in json.load(sys.stdin).items()})
for phase in PHASES:
    value = extend(value, phase.encode())
print(value.hex())`;

it('is expected by lamactl as the layer signs it', async () => {
  // In the order of systemd-stub 255; the file may have another.
  const sections = {
    '.linux': 'kernel',
    '.osrel': 'ID=lamadist',
    '.cmdline': 'ro',
    '.initrd': 'initrd',
    '.uname': '6.6',
    '.sbat': 'sbat',
    '.pcrpkey': 'key',
  };
  const reversed = Object.fromEntries(Object.entries(sections).reverse());
  const { stdout } = await execa('python3', ['-B', '-c', CALCULATE, LIB], { input: JSON.stringify(reversed) });

  const measured = Object.entries(sections).map(([name, text]) => ({ name, content: Buffer.from(text) }));
  expect(stdout.trim()).toBe(expectedPcr11({ measured } as unknown as Uki, 'sha256').toString('hex'));
});
