// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { X86_64 } from '../../../../../qemu/vm/architecture.ts';
import { type Display, qemuCommand } from '../../../../../qemu/vm/machine/qemu-command.ts';

const LISTENS = /(?:hostfwd=tcp:|^|addr=)(\d+\.\d+\.\d+\.\d+)/g;

describe("QEMU's command line", () => {
  it.each<readonly [Display, number]>([
    ['none', 1],
    ['vnc', 2],
    ['spice', 2],
  ])('listens on the loopback network alone, with the display "%s"', (display, count) => {
    const forwarded = { host: '127.0.1.7', port: 7443 };
    const command = qemuCommand({ architecture: X86_64, forwarded, display, onTerminal: false, credentials: [] });
    const addresses = command.flatMap((word) => [...word.matchAll(LISTENS)].map(([, address]) => address!));
    expect(addresses).toHaveLength(count);
    for (const address of addresses) expect(address).toMatch(/^127\./);
    for (const word of command.filter((each) => /tcp|0\.0\.0\.0|telnet|websocket/.test(each))) expect(word).toMatch(/^user,id=net0/);
  });

  it('takes a terminal from which it can be ended, whatever the machine does: Ctrl-C is a key for the machine, Ctrl-A X is for QEMU', () => {
    const forwarded = { host: '127.0.1.7', port: 7443 };
    const command = qemuCommand({ architecture: X86_64, forwarded, display: 'none', onTerminal: true, credentials: [] });
    const console = command.find((word) => word.startsWith('stdio,'))?.split(',');
    expect(console).toEqual(expect.arrayContaining(['id=console', 'signal=off', 'mux=on']));
  });
});
