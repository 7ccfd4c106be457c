// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';

/** One that is served, and four that wait. */
const PLACES = 5;
/** Nobody takes the TPM, or the memory for its logs, from the others. */
const PLACES_OF_ONE = 2;

/** Who is in there, waiting or served: so many in all, and no more than two of one asker. */
export class Places {
  readonly #inside: string[] = [];

  /** Returns how to leave. Throws TPM_BUSY with `what` cannot be done. */
  take(asker: string, what: string): () => void {
    if (this.#inside.length >= PLACES) throw new Failure('TPM_BUSY', `Cannot ${what}: ${PLACES} others are before you`);
    const own = this.#inside.filter((each) => each === asker).length;
    if (own >= PLACES_OF_ONE) throw new Failure('TPM_BUSY', `Cannot ${what}: ${own} questions of the same client are not answered yet`);
    this.#inside.push(asker);
    return () => {
      this.#inside.splice(this.#inside.indexOf(asker), 1);
    };
  }
}
