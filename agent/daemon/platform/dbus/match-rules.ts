// SPDX-License-Identifier: Apache-2.0
import type { Signal, SignalMatch } from './message-types.ts';

/** The text of a match rule. D-Bus Specification, "Match Rules". */
export function ruleOf(match: SignalMatch): string {
  const keys = Object.entries({
    sender: match.sender,
    interface: match.interface,
    path: match.path,
    member: match.member,
    arg0: match.arg0,
  });
  const parts = keys.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quoted(value)}`]));
  return ["type='signal'", ...parts].join(',');
}

/** Inside quotes nothing is special, and an apostrophe is said outside of them. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Whether a signal is meant, all but its sender, which only the owner of the name can tell. */
export function matches(match: SignalMatch, signal: Signal): boolean {
  return (
    match.interface === signal.interface &&
    (match.path === undefined || match.path === signal.path) &&
    (match.member === undefined || match.member === signal.member) &&
    (match.arg0 === undefined || match.arg0 === signal.body[0])
  );
}

/**
 * Counts who needs which rule: the bus keeps a rule as often as it is added and refuses a connection more than 512, so each
 * is added with its first user and removed with its last.
 */
export class MatchRules {
  readonly #users = new Map<string, number>();

  /** True for the first user: the rule must be added on the bus. */
  add(rule: string): boolean {
    const users = this.#users.get(rule) ?? 0;
    this.#users.set(rule, users + 1);
    return users === 0;
  }

  /** True for the last user: the rule must be removed from the bus. */
  remove(rule: string): boolean {
    const users = this.#users.get(rule) ?? 0;
    if (users > 1) {
      this.#users.set(rule, users - 1);
      return false;
    }
    return this.#users.delete(rule);
  }

  all(): string[] {
    return [...this.#users.keys()];
  }
}
