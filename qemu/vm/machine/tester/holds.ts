// SPDX-License-Identifier: Apache-2.0
import { until } from '../../../host/deadline.ts';
import { shellWord } from '../../../host/shell-words.ts';
import type { BootLoaderCommand, HoldsBootLoader, Machine } from '../../../machine.ts';

const HOLDS = '/var/lib/lamadist-control/hold';
const HELD = '/run/lamadist-control/held';
const QUICK_MS = 30_000;
/** A question costs an emulated machine ten processes. */
const PAUSE_MS = 2_000;

/** The files by which efibootmgr-hold.sh, inside the machine, is told to wait, and tells that it does. */
export class Holds implements HoldsBootLoader {
  constructor(private readonly machine: Pick<Machine, 'name' | 'shell'>) {}

  async hold(command: BootLoaderCommand): Promise<void> {
    const file = shellWord(`${HOLDS}/${command}`);
    await this.#must(`mkdir -p ${HOLDS} && touch ${file} && sync -f ${file}`, `hold "${command}"`);
  }

  /** Throws when it was held for so long that it went on by itself. */
  async release(command: BootLoaderCommand): Promise<void> {
    const file = shellWord(`${HOLDS}/${command}`);
    await this.#must(`rm -f ${file}; if rm ${file}.expired 2>&-; then echo it went on by itself >&2; exit 1; fi`, `release "${command}"`);
  }

  async waitUntilHeld(command: BootLoaderCommand, options: { readonly timeoutMs: number }): Promise<void> {
    const held = `test -e ${shellWord(`${HELD}/${command}`)}`;
    await until(
      `RAUC to ask the boot loader for ${command}`,
      options.timeoutMs,
      async () => {
        // Between two boots there is nobody to ask.
        const answer = await this.machine.shell(held, { timeoutMs: QUICK_MS }).catch(() => undefined);
        return answer?.exitCode === 0 || undefined;
      },
      PAUSE_MS,
    );
  }

  async #must(command: string, what: string): Promise<void> {
    const { exitCode, stderr } = await this.machine.shell(command, { timeoutMs: QUICK_MS });
    if (exitCode !== 0) throw new Error(`Cannot ${what} on ${this.machine.name}: ${stderr.trim()}`);
  }
}
