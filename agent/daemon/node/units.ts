// SPDX-License-Identifier: Apache-2.0

export interface Unit {
  readonly name: string;
  readonly description: string;
  /** loaded, not-found, masked, … */
  readonly loadState: string;
  /** active, reloading, inactive, failed, activating, deactivating, … */
  readonly activeState: string;
  readonly subState: string;
}

export interface UnitFilter {
  /** Load, active or sub states of which a unit has one; none: all. */
  readonly states: readonly string[];
  /** Names with `*` and `?`, of which one fits; none: all. */
  readonly patterns: readonly string[];
}

/** The units of the node's service manager. */
export interface Units {
  list(filter: UnitFilter, signal: AbortSignal): Promise<readonly Unit[]>;
  /** Resolves with the unit once it runs again. Fails with UNIT_NOT_FOUND, RESTART_NOT_ALLOWED or UNIT_FAILED. */
  restart(name: string, signal: AbortSignal): Promise<Unit>;
}
