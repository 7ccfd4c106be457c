// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../../../qemu/vm/image/uki.ts';
import { layerVariables } from '../../../../qemu/vm/layers.ts';

describe("what the virtual machine takes from the layers' configuration", () => {
  it("makes a command line for each slot, with its root's encryption and an image's own words", async () => {
    const content = { slot: 'b', rootHash: 'abc', words: ['last=1'] } as const;
    const variables = await layerVariables();
    const line = commandLine(content, variables);
    expect(line).toMatch(/^root=\/dev\/mapper\/root roothash=abc systemd.verity_root_data=\/dev\/mapper\/root-b /);
    expect(line).toMatch(
      / rauc.slot=B .*systemd.import_credentials=no .*security=selinux.* console=ttyS0,115200 systemd.import_credentials=yes last=1$/,
    );
    const inTheClear = commandLine(content, { ...variables, LAMADIST_ROOT_ENCRYPTION: 'off' });
    expect(inTheClear).toContain(' systemd.verity_root_data=PARTLABEL=root-b ');
  });
});
