// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Identity } from '../../shared/tls.ts';
import type { Target } from '../node/node.ts';
import { parseAddress } from './address.ts';
import { contextFilePath, type FleetContext, readContext } from './context-file.ts';
import { readIdentity } from './identity-files.ts';
import { parseLabelSelector } from './label-selector.ts';

/** What the command line says about nodes: --context, --node and --exclude (each may be a comma list), --selector, --all. */
export interface Selection {
  readonly context?: string | undefined;
  readonly nodes: readonly string[];
  readonly all: boolean;
  /** Each must hold. */
  readonly selectors?: readonly string[];
  readonly exclude?: readonly string[];
}

/** The selected nodes, ready to be asked. Throws CONFIG_INVALID or INVALID_REQUEST. */
export async function readTargets(
  selection: Selection,
  env: Readonly<Record<string, string | undefined>>,
  homeDirectory: string,
): Promise<readonly Target[]> {
  const context = await readContext(contextFilePath(env, homeDirectory), selection.context);
  return selectTargets(selection, context, await readIdentity(context));
}

/** Nodes in the order in which they were named, each once. The only node of a context need not be named. */
export function selectTargets(selection: Selection, context: FleetContext, identity: Identity): readonly Target[] {
  const known = Object.keys(context.nodes);
  const excluded = new Set(namesIn(selection.exclude ?? []));
  refuseStranger([...excluded], known, context.name);
  const chosen = chooseNames(selection, context).filter((name) => !excluded.has(name));
  if (chosen.length === 0) throw refused('Cannot select nodes: none of the context is left', known);
  return chosen.map((name) => {
    const node = context.nodes[name]!;
    return { name, address: parseAddress(node.address)!, tlsName: node.name ?? name, labels: node.labels ?? {}, identity };
  });
}

function chooseNames({ nodes, all, selectors = [] }: Selection, context: FleetContext): readonly string[] {
  const known = Object.keys(context.nodes);
  if (known.length === 0) throw refused(`Cannot choose a node: context "${context.name}" has none; add one with "lamactl enroll"`, known);
  const named = namesIn(nodes);
  if (named.length > 0 && (all || selectors.length > 0)) {
    throw refused(`Cannot select nodes: --node and ${all ? '--all' : '--selector'} exclude each other`, known);
  }
  if (selectors.length > 0) {
    const wanted = selectors.map(parseLabelSelector);
    return known.filter((name) => wanted.every((matches) => matches(context.nodes[name]?.labels ?? {})));
  }
  if (all || (named.length === 0 && known.length === 1)) return known;
  if (named.length === 0) {
    throw refused(`Cannot choose a node: context "${context.name}" holds ${few(known)}; name some with --node, or say --all`, known);
  }
  refuseStranger(named, known, context.name);
  return named;
}

/** Each once, in the order in which they were named. */
function namesIn(lists: readonly string[]): readonly string[] {
  return [...new Set(lists.flatMap((list) => list.split(',')).filter((name) => name !== ''))];
}

function refuseStranger(names: readonly string[], known: readonly string[], context: string): void {
  const all = new Set(known);
  const stranger = names.find((name) => !all.has(name));
  if (stranger !== undefined) throw refused(`Cannot select node "${stranger}": context "${context}" holds ${few(known)}`, known);
}

/** As many names as a sentence bears. */
const TOLD = 20;
const few = (names: readonly string[]): string =>
  names.length <= TOLD ? names.join(', ') : `${names.slice(0, TOLD).join(', ')} and ${names.length - TOLD} more`;

function refused(message: string, known: readonly string[]): Failure {
  return new Failure('INVALID_REQUEST', message, { field: 'node', nodes: known.slice(0, TOLD).join(',') });
}
