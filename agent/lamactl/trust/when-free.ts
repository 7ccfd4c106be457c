// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { World } from '../world.ts';

const ATTEMPTS = 12;
const PAUSE_MS = 2_000;

/** Asks again for a while when too many others ask the node's TPM: they are done within seconds. */
export async function whenFree<T>({ clock }: Pick<World, 'clock'>, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (thrown) {
      if (Failure.from(thrown).code !== 'TPM_BUSY' || attempt === ATTEMPTS) throw thrown;
      await clock.sleep(PAUSE_MS);
    }
  }
}
