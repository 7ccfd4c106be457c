// SPDX-License-Identifier: Apache-2.0
import type { BusError } from './bus-error.ts';
import { MatchRules, matches, ruleOf } from './match-rules.ts';
import { BUS, type MethodCall, type Signal, type SignalMatch } from './message-types.ts';
import { isFixed, NameOwners, type OwnerListener, ownerChangeIn, ownerChangesOf } from './name-owners.ts';

const NO_OWNER = 'org.freedesktop.DBus.Error.NameHasNoOwner';

export type SignalHandler = (signal: Signal) => void | Promise<void>;

/** Asks the bus itself, if it is there. Of a bus that is lost in the meantime nothing is heard: it is all said again to the next. */
export type AskBus = (
  call: MethodCall,
  done: (outcome: { readonly body: readonly unknown[] } | { readonly error: BusError }) => void,
) => void;

export type Report = (problem: unknown, doing: string) => void;

interface Subscription {
  readonly match: SignalMatch;
  readonly handler: SignalHandler;
}

/**
 * What is wanted from the bus, whether it is there or not: match rules, and the owners of the names in them. A signal
 * carries its sender's unique name only, and anybody may send one: it is taken when that is the owner of the name meant.
 */
export class Subscriptions {
  readonly #ask: AskBus;
  readonly #report: Report;
  readonly #subscriptions = new Set<Subscription>();
  readonly #rules = new MatchRules();
  readonly #owners = new NameOwners();

  constructor(ask: AskBus, report: Report) {
    this.#ask = ask;
    this.#report = report;
  }

  subscribe(match: SignalMatch, handler: SignalHandler): () => void {
    const subscription = { match, handler };
    this.#subscriptions.add(subscription);
    this.#follow(match.sender);
    if (this.#rules.add(ruleOf(match))) this.#tell('AddMatch', ruleOf(match));
    return () => {
      if (!this.#subscriptions.delete(subscription)) return;
      if (this.#rules.remove(ruleOf(match))) this.#tell('RemoveMatch', ruleOf(match));
      this.#unfollow(match.sender);
    };
  }

  onOwnerChange(name: string, listener: OwnerListener): () => void {
    const own: OwnerListener = (owner) => listener(owner);
    this.#owners.listen(name, own);
    this.#follow(name);
    return () => {
      if (this.#owners.unlisten(own)) this.#unfollow(name);
    };
  }

  /** Tells it all to a new connection: names first, for a rule's signals need the owner of their name. */
  restore(): void {
    for (const name of this.#owners.followed()) this.#askForOwner(name);
    for (const rule of this.#rules.all()) this.#tell('AddMatch', rule);
  }

  /** The connection is lost, and with it what it told. */
  forget(): void {
    this.#owners.forgetAll();
  }

  dispatch(signal: Signal): void {
    const change = ownerChangeIn(signal);
    if (change) this.#learnOwner(change.name, change.owner);
    for (const { match, handler } of [...this.#subscriptions]) {
      if (!matches(match, signal) || !this.#owners.owns(signal.sender, match.sender)) continue;
      this.#guarded(() => handler(signal), `handling the signal ${signal.interface}.${signal.member}`);
    }
  }

  #guarded(act: () => void | Promise<void>, doing: string): void {
    try {
      act()?.catch((error: unknown) => this.#report(error, doing));
    } catch (error) {
      this.#report(error, doing);
    }
  }

  #follow(name: string): void {
    if (!isFixed(name) && this.#owners.follow(name)) this.#askForOwner(name);
  }

  #unfollow(name: string): void {
    if (!isFixed(name) && this.#owners.unfollow(name)) this.#tell('RemoveMatch', ruleOf(ownerChangesOf(name)));
  }

  /** Changes are asked for before the present owner, so that none is missed between the two. */
  #askForOwner(name: string): void {
    this.#tell('AddMatch', ruleOf(ownerChangesOf(name)));
    this.#ask({ ...BUS, member: 'GetNameOwner', signature: 's', body: [name] }, (outcome) => {
      if ('body' in outcome) this.#learnOwner(name, String(outcome.body[0]));
      else if (outcome.error.errorName === NO_OWNER) this.#learnOwner(name, undefined);
      else this.#report(outcome.error, `asking for the owner of ${name}`);
    });
  }

  #learnOwner(name: string, owner: string | undefined): void {
    for (const listener of this.#owners.learn(name, owner)) this.#guarded(() => listener(owner), `telling the owner of ${name}`);
  }

  #tell(member: 'AddMatch' | 'RemoveMatch', rule: string): void {
    this.#ask({ ...BUS, member, signature: 's', body: [rule] }, (outcome) => {
      if ('error' in outcome) this.#report(outcome.error, `${member} of ${rule}`);
    });
  }
}
