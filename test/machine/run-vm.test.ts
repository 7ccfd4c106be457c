// SPDX-License-Identifier: Apache-2.0
// `npm run vm` as a person uses it: the firmware's words on a screen or on the terminal, and a way out.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { run } from '../../qemu/host/command.ts';
import { until } from '../../qemu/host/deadline.ts';
import { sayOnStderr } from '../../qemu/host/say.ts';
import { inRoot } from '../../qemu/root/in-root.ts';
import { prepareRoot } from '../../qemu/root/prepare-root.ts';
import { BOOT } from '../integration/node/kind-of-node.ts';
import { temporaryFolder } from '../unit/fakes/folder.ts';
import { onlyInAll } from './selection/machine-scenarios.ts';

const VM = ['--import', 'tsx', path.resolve('qemu/vm/run-vm.ts')];
/** Images and a bundle are made first. */
const START_MS = 10 * 60_000;
const WORDS_MS = 3 * 60_000;
const LOOK_MS = 30_000;
const PAUSE_MS = 2_000;
/** Before the firmware has a picture, QEMU shows words of its own, on a smaller one. */
const FIRMWARE_WIDTH = 1280;
/** Fewer are a cursor. */
const WORDS_PIXELS = 500;
/** What root's shell ends its line with. */
const PROMPT = '# ';
const LOOPBACK = '0100007F';

const SCREENS = [
  { display: 'vnc', port: 5900, look: 'gvnccapture --quiet 127.0.0.1:0 screen.png && pngtopnm screen.png > screen.ppm' },
  { display: 'spice', port: 5930, look: 'spicy-screenshot --uri=spice://127.0.0.1:5930 --out-file=screen.ppm' },
] as const;

/** Whether a picture in PPM (P6, eight bits) is of the firmware's size, and enough of its pixels have another colour than its first. */
function showsFirmware(picture: Buffer): boolean {
  const [header, width] = /^P6\s+(\d+)\s+\d+\s+255\s/.exec(picture.toString('latin1', 0, 64)) ?? [];
  if (!header) throw new Error('Cannot read the picture: it is no PPM');
  const pixels = picture.subarray(header.length);
  let inFront = 0;
  for (let at = 3; at < pixels.length; at += 3) if (pixels.compare(pixels, 0, 3, at, at + 3) !== 0) inFront += 1;
  return Number(width) === FIRMWARE_WIDTH && inFront > WORDS_PIXELS;
}

/** The local addresses, as the kernel writes them, at which something listens on a TCP port. */
async function listenersAt(port: number): Promise<string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = tables.flatMap((table) => table.trim().split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  return sockets.flatMap(([, local = '', , state]) => (state === '0A' && local.endsWith(wanted) ? [local.slice(0, -wanted.length)] : []));
}

interface OnTerminal {
  readonly all: Readable;
  readonly stdin: Writable;
  readonly exitCode: number | null;
}

/** Waits for what it says; rejects at once, with what it did say, when it ends before. */
async function says(machine: Pick<OnTerminal, 'all' | 'exitCode'>, words: string, timeoutMs = START_MS): Promise<void> {
  let said = '';
  machine.all.on('data', (data: Buffer) => (said += data));
  await until(`"${words}"`, timeoutMs, async () => {
    if (machine.exitCode !== null) throw new Error(`npm run vm ended before it said "${words}":\n${said}`);
    return said.includes(words) || undefined;
  });
}

async function gone(machine: { readonly exitCode: number | null }): Promise<void> {
  expect(await until('the machine to be gone', WORDS_MS, async () => machine.exitCode ?? undefined)).toBe(0);
}

describe('npm run vm', { timeout: START_MS + 2 * WORDS_MS }, () => {
  it.each(SCREENS)(
    '-- --display $display shows what the firmware says, on loopback only, until Ctrl-C',
    async ({ display, port, look }) => {
      const viewers = await prepareRoot(sayOnStderr, path.join(import.meta.dirname, 'viewers.txt'));
      const folder = await temporaryFolder();
      const machine = execa('node', [...VM, '--display', display], { reject: false, all: true });
      try {
        await says(machine, `${display}://127.0.0.1:${port}`);
        await until(
          'the words of the firmware',
          WORDS_MS,
          async () => {
            await run(inRoot(viewers, folder, ['sh', '-c', look]), { timeoutMs: LOOK_MS });
            return showsFirmware(await readFile(path.join(folder, 'screen.ppm'))) || undefined;
          },
          PAUSE_MS,
        );
        expect(await listenersAt(port)).toEqual([LOOPBACK]);
        machine.kill('SIGINT');
        await gone(machine);
        expect(await listenersAt(port)).toEqual([]);
      } finally {
        machine.kill('SIGKILL');
      }
    },
  );

  it('has the serial console on the terminal, until Ctrl-A X', () =>
    onTerminal(async (machine) => {
      await says(machine, 'BdsDxe: starting Boot');
    }));

  it("has root's shell there once the node is up, which hears what is typed", { timeout: START_MS + 2 * BOOT.timeoutMs }, ({ skip }) => {
    onlyInAll(skip);
    return onTerminal(async (machine) => {
      await says(machine, PROMPT, START_MS + BOOT.timeoutMs);
      machine.stdin.write('echo $((6 * 7))th\r');
      await says(machine, '42th', WORDS_MS);
    });
  });
});

/** Runs `npm run vm` on a terminal of its own, and leaves it with Ctrl-A X. */
async function onTerminal(look: (machine: OnTerminal) => Promise<void>): Promise<void> {
  const script = ['--quiet', '--flush', '--return', '--command', `node ${VM.join(' ')}`, '/dev/null'];
  const machine = execa('script', script, { reject: false, all: true, stdin: 'pipe' });
  try {
    await look(machine);
    machine.stdin.write('\x01x');
    await gone(machine);
  } finally {
    machine.kill('SIGKILL');
  }
}
