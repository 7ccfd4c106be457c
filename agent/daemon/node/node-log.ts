// SPDX-License-Identifier: Apache-2.0

export interface LogEntry {
  /** Where to go on after this entry. */
  readonly cursor: string;
  readonly at: Date;
  /** syslog(3), 0 for an emergency to 7 for debugging; undefined when it has none. */
  readonly priority: number | undefined;
  /** Empty for the kernel. */
  readonly unit: string;
  readonly identifier: string;
  /** 0 when it is not known. */
  readonly pid: number;
  readonly bootId: string;
  readonly message: string;
  /** The message is too long to be told. */
  readonly messageLeftOut: boolean;
}

export interface LogQuery {
  /** Whole names of units of which an entry is of one; none: all. */
  readonly units: readonly string[];
  /** The least that matters, 0 to 7. */
  readonly priority: number | undefined;
  readonly since: Date | undefined;
  /** A boot id without dashes, 0 for this boot, -1 for the one before, …; empty: every boot. */
  readonly boot: string;
  /** The last entry that is known already; empty: none is. */
  readonly afterCursor: string;
  /** The newest so many, or with a cursor the first so many after it; 0: all. Does not count when it is followed from a cursor. */
  readonly lines: number;
  /** Whether to go on with each new entry. */
  readonly follow: boolean;
}

/**
 * The entries of the node's log that fit, oldest first. They are read no faster than they are taken, and reading ends with the
 * signal. Fails with INVALID_REQUEST for a boot or a cursor that the log does not know.
 */
export type ReadLog = (query: LogQuery, signal: AbortSignal) => AsyncIterable<LogEntry>;
