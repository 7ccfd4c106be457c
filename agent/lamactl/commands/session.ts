// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { Identity } from '../../shared/tls.ts';
import type { ExitName } from '../exit-code.ts';
import type { Connect, Target } from '../node/node.ts';
import type { Paint } from '../output/colour.ts';
import type { Format } from '../output/document.ts';
import type { ExpectationStore } from '../trust/expectation-store.ts';
import type { World } from '../world.ts';

/** What a command works with: the world, and what the options that all commands share ask for. */
export interface Session {
  readonly world: World;
  readonly format: Format;
  /** Whether a table has the columns that most do not ask for. */
  readonly wide: boolean;
  readonly paint: Paint;
  /** --context, where it was given. */
  readonly context?: string;
  /** Whether --node or --all was given. */
  readonly namesNodes: boolean;
  /** The deadline of one call: --timeout, or else what is usual for it. */
  timeoutMs(usualMs: number): number;
  /** Reads the context file. Throws a Failure. */
  targets(): Promise<readonly Target[]>;
  /** The nodes with these names, in that order, or all of the context, whatever was selected. Throws a Failure. */
  targetsOf(names: readonly string[] | 'all'): Promise<readonly Target[]>;
  /** Opens nodes with the certificates of the moment, which a rotation may change while the command runs. Throws a Failure. */
  connectAsNow(): Promise<Connect>;
  /** Tells the certificates of the moment. Throws a Failure. */
  identityAsNow(): Promise<() => Promise<Identity>>;
  /** Where this machine keeps the rollouts of the context. Throws a Failure. */
  rolloutFolder(): Promise<string>;
  /** What is expected of the nodes of the context. Throws a Failure. */
  expectations(): Promise<ExpectationStore>;
}

/** Runs a command's body with its session, and keeps its exit. */
export type Run = (command: Command, body: (session: Session) => Promise<ExitName>) => Promise<void>;

/** The usual deadline of a call. */
export const USUAL_TIMEOUT_MS = 10_000;
/** The usual deadline of a call that makes the node work: run its checks, fetch a manifest. */
export const WORK_TIMEOUT_MS = 60_000;
/** Of what a node asks its TPM: above two of the minutes after which the agent gives a TPM up, so that lamactl hears of it. */
export const TPM_TIMEOUT_MS = 150_000;

/** A command line that does something more for these nodes. */
export function hint(session: Pick<Session, 'context'>, command: string, nodes: readonly string[]): string {
  const context = session.context === undefined ? '' : ` --context ${session.context}`;
  return `lamactl ${command}${context} -n ${nodes.join(',')}`;
}
