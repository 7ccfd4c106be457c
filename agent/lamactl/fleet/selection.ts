// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Identity } from '../../shared/tls.ts';
import { parseAddress } from './address.ts';
import { contextFilePath, type FleetContext, readContext } from './context-file.ts';
import { readIdentity } from './identity-files.ts';
import type { Target } from './node.ts';

/** What the command line says about nodes: --context, --node (each may be a comma list), --all. */
export interface Selection {
  readonly context?: string | undefined;
  readonly nodes: readonly string[];
  readonly all: boolean;
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
  return chooseNames(selection, known, context.name).map((name) => {
    const node = context.nodes[name]!;
    return { name, address: parseAddress(node.address)!, tlsName: node.name ?? name, identity };
  });
}

function chooseNames(selection: Selection, known: readonly string[], context: string): readonly string[] {
  if (known.length === 0) throw refused(`Cannot choose a node: context "${context}" has none; add one with "lamactl enroll"`, known);
  const named = new Set(selection.nodes.flatMap((list) => list.split(',')).filter((name) => name !== ''));
  if (selection.all && named.size > 0) throw refused('Cannot select nodes: --node and --all exclude each other', known);
  if (selection.all) return known;
  if (named.size === 0 && known.length === 1) return known;
  if (named.size === 0)
    throw refused(`Cannot choose a node: context "${context}" holds ${known.join(', ')}; name some with --node, or say --all`, known);
  const stranger = [...named].find((name) => !known.includes(name));
  if (stranger !== undefined) throw refused(`Cannot select node "${stranger}": context "${context}" holds ${known.join(', ')}`, known);
  return [...named];
}

function refused(message: string, known: readonly string[]): Failure {
  return new Failure('INVALID_REQUEST', message, { field: 'node', nodes: known.join(',') });
}
