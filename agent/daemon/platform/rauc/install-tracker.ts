// SPDX-License-Identifier: Apache-2.0

/** How an install ended, as far as signals tell: RAUC's result (0 is success), or that no end will ever be told. */
export type InstallEnd = { readonly type: 'completed'; readonly result: number } | { readonly type: 'vanished' };

/**
 * Whether an install is under way, and its end once. RAUC's property Operation cannot tell, for it shows idle while an install
 * runs as soon as a second one was refused; so only Completed, RAUC's leaving the bus, or its being found free count.
 */
export class InstallTracker {
  readonly #ended: (end: InstallEnd) => void;
  #underWay = false;
  /** Our call to begin an install was sent and not answered yet. */
  #beginning = false;
  #early: InstallEnd | undefined;
  #ends = 0;

  constructor(ended: (end: InstallEnd) => void) {
    this.#ended = ended;
  }

  get underWay(): boolean {
    return this.#underWay;
  }

  /** How many ends there were: whoever asks RAUC what it does can see whether the answer is older than an end. */
  get ends(): number {
    return this.#ends;
  }

  beginning(): void {
    this.#beginning = true;
  }

  /** RAUC began, or may have. True when an end came before that was known: RAUC has to be asked which install's it was. */
  begun(): boolean {
    this.#beginning = false;
    this.#underWay = true;
    return this.#early !== undefined;
  }

  /** RAUC did not begin; another install may be under way, as before. */
  notBegun(): void {
    this.#beginning = false;
    if (this.#early) this.#end(this.#early);
  }

  /** Completed came. Before the answer to our call it is most likely of another install, and waits. */
  completed(result: number): void {
    const end: InstallEnd = { type: 'completed', result };
    if (this.#beginning) this.#early = end;
    else this.#end(end);
  }

  /** RAUC left the bus. */
  gone(): void {
    if (this.#underWay) this.#end({ type: 'vanished' });
  }

  /** RAUC was found installing: an end from before was of another install. */
  busy(): void {
    this.#underWay = true;
    this.#early = undefined;
  }

  /** RAUC was found free. It tells an end before it is, so one that was not heard by now never will be. */
  free(): void {
    if (this.#underWay && !this.#beginning) this.#end(this.#early ?? { type: 'vanished' });
  }

  #end(end: InstallEnd): void {
    this.#underWay = false;
    this.#early = undefined;
    this.#ends += 1;
    this.#ended(end);
  }
}
