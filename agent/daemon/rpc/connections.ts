// SPDX-License-Identifier: Apache-2.0

export interface Connection {
  /** Address and port of the other end; no two connections of one moment have the same. */
  readonly peer: string;
  /** The fingerprint of the client's certificate. */
  readonly owner: string;
  close(): void;
}

export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsOfOwner: number;
  readonly calls: number;
  readonly callsOfOwner: number;
}

/** The rest is for the others: one certificate can take neither every connection nor every call. */
export const LIMITS: ConnectionLimits = { connections: 256, connectionsOfOwner: 224, calls: 512, callsOfOwner: 448 };

/**
 * Who is connected, and with how many calls. Each connection costs the agent about 80 KiB, so there is a limit; a newcomer is
 * let in all the same, and somebody else has to go: rather one without a call, rather the one that came first.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  /** In the order in which they came. */
  readonly #open = new Map<string, Connection & { calls: number }>();

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  opened(connection: Connection): void {
    const { connections, connectionsOfOwner } = this.#limits;
    if (this.#of(connection.owner).length >= connectionsOfOwner) this.#makeRoom(this.#of(connection.owner));
    else if (this.#open.size >= connections) this.#makeRoom(this.#of(this.#largestOwner()));
    this.#open.set(connection.peer, { ...connection, close: () => connection.close(), calls: 0 });
  }

  closed(peer: string): void {
    this.#open.delete(peer);
  }

  /** False when there are as many calls as there may be. Each that began has to end. */
  callBegan(peer: string): boolean {
    const connection = this.#open.get(peer);
    if (!connection) return true;
    const all = [...this.#open.values()];
    const calls = (ones: readonly { calls: number }[]): number => ones.reduce((sum, one) => sum + one.calls, 0);
    if (calls(all) >= this.#limits.calls || calls(this.#of(connection.owner)) >= this.#limits.callsOfOwner) return false;
    connection.calls += 1;
    return true;
  }

  callEnded(peer: string): void {
    const connection = this.#open.get(peer);
    if (connection) connection.calls -= 1;
  }

  close(peer: string): void {
    this.#open.get(peer)?.close();
    this.#open.delete(peer);
  }

  closeAll(): void {
    for (const peer of [...this.#open.keys()]) this.close(peer);
  }

  #of(owner: string) {
    return [...this.#open.values()].filter((one) => one.owner === owner);
  }

  #largestOwner(): string {
    const counts = new Map<string, number>();
    for (const { owner } of this.#open.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return [...counts].reduce((largest, one) => (one[1] > largest[1] ? one : largest), ['', 0] as const)[0];
  }

  #makeRoom(candidates: readonly { readonly peer: string; readonly calls: number }[]): void {
    const leaves = candidates.find(({ calls }) => calls === 0) ?? candidates[0];
    if (leaves) this.close(leaves.peer);
  }
}
