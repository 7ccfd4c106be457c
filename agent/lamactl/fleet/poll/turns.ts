// SPDX-License-Identifier: Apache-2.0

/** The numbers from 0 on, each given to one thread alone: a thread that has less to wait for asks more nodes. */
export type Turns = Int32Array<SharedArrayBuffer>;

export function newTurns(): Turns {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

export function nextTurn(turns: Turns): number {
  return Atomics.add(turns, 0, 1);
}
