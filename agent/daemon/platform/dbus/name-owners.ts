// SPDX-License-Identifier: Apache-2.0
import { BUS, type Signal, type SignalMatch } from './message-types.ts';

/** Undefined: nobody owns the name. */
export type Owner = string | undefined;
export type OwnerListener = (owner: Owner) => void;

/** The owners of the well-known names that somebody follows. An owner that was never learnt is not the same as none. */
export class NameOwners {
  readonly #followers = new Map<string, number>();
  readonly #owners = new Map<string, Owner>();
  readonly #listeners = new Map<OwnerListener, string>();

  /** True for the first follower of a name: its changes must be asked for on the bus. */
  follow(name: string): boolean {
    const followers = this.#followers.get(name) ?? 0;
    this.#followers.set(name, followers + 1);
    return followers === 0;
  }

  /** True for the last follower of a name. */
  unfollow(name: string): boolean {
    const followers = this.#followers.get(name) ?? 0;
    if (followers > 1) {
      this.#followers.set(name, followers - 1);
      return false;
    }
    this.#owners.delete(name);
    return this.#followers.delete(name);
  }

  followed(): string[] {
    return [...this.#followers.keys()];
  }

  /** A unique name, or the bus itself, is its own owner. */
  owns(sender: string, name: string): boolean {
    return sender === (isFixed(name) ? name : this.#owners.get(name));
  }

  listen(name: string, listener: OwnerListener): void {
    this.#listeners.set(listener, name);
  }

  /** True when it listened until now. */
  unlisten(listener: OwnerListener): boolean {
    return this.#listeners.delete(listener);
  }

  /** Keeps the owner of a name. Returns who must hear of it: nobody, when nothing is new. */
  learn(name: string, owner: Owner): OwnerListener[] {
    if (!this.#followers.has(name) || (this.#owners.has(name) && this.#owners.get(name) === owner)) return [];
    this.#owners.set(name, owner);
    return [...this.#listeners].filter(([, followed]) => followed === name).map(([listener]) => listener);
  }

  /** Without the bus nothing is known. */
  forgetAll(): void {
    this.#owners.clear();
  }
}

/** Names whose owner never changes while the connection lasts. */
export function isFixed(name: string): boolean {
  return name.startsWith(':') || name === BUS.destination;
}

/** D-Bus Specification, "org.freedesktop.DBus.NameOwnerChanged". */
export function ownerChangesOf(name: string): SignalMatch {
  return { sender: BUS.destination, path: BUS.path, interface: BUS.interface, member: 'NameOwnerChanged', arg0: name };
}

/** The name and new owner that a signal tells of, or undefined when it is another one. */
export function ownerChangeIn(signal: Signal): { readonly name: string; readonly owner: Owner } | undefined {
  if (signal.sender !== BUS.destination || signal.interface !== BUS.interface || signal.member !== 'NameOwnerChanged') return undefined;
  const [name, , owner] = signal.body;
  return { name: String(name), owner: owner === '' ? undefined : String(owner) };
}
