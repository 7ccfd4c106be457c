// SPDX-License-Identifier: Apache-2.0
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { parseConfig } from '../../shared/config-file.ts';
import { Failure } from '../../shared/failure.ts';
import { NodeName } from '../../shared/labels.ts';
import { nearestName } from '../../shared/nearest-name.ts';
import { readInput } from '../input-file.ts';
import { readIfThere } from '../whole-file.ts';
import { parseAddress } from './address.ts';

const Address = v.pipe(
  v.string(),
  v.check((text) => parseAddress(text) !== undefined, 'is not an address such as "10.0.0.5", "attic.lan:7443" or "[fd00::5]:7443"'),
);

const Path = v.pipe(v.string(), v.nonEmpty('is empty'));

const NodeEntry = v.strictObject({
  address: Address,
  /** The name in the node's certificate, where it is not the node's key in this file. */
  name: v.optional(NodeName),
  labels: v.optional(v.record(v.string(), v.string())),
});

const ContextEntry = v.strictObject({
  ca: Path,
  certificate: Path,
  key: Path,
  /** The certificates that vouch for who signs bundles, as nodes have them. */
  keyring: v.optional(Path),
  /** None until the first is enrolled. */
  nodes: v.record(NodeName, NodeEntry),
});

const ContextFile = v.strictObject({
  'current-context': v.optional(NodeName),
  contexts: v.record(NodeName, ContextEntry),
});

/** One context: the nodes of an administrator, and the files that open them (absolute paths). */
export interface FleetContext {
  readonly name: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly keyring?: string;
  readonly nodes: Readonly<Record<string, KnownNode>>;
}

interface KnownNode {
  readonly address: string;
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Of 10,000 nodes, with labels. */
const MAX_CONTEXT_FILE_BYTES = 4 << 20;

/** Where the context file is: $LAMACTL_CONFIG, or the place that the XDG Base Directory Specification gives it. */
export function contextFilePath(env: Readonly<Record<string, string | undefined>>, homeDirectory: string): string {
  if (env.LAMACTL_CONFIG) return resolve(env.LAMACTL_CONFIG);
  return join(env.XDG_CONFIG_HOME || join(homeDirectory, '.config'), 'lamactl', 'config.yaml');
}

/** The context of that name, or the file's current one. Throws CONFIG_INVALID with the file, line and field. */
export async function readContext(file: string, name: string | undefined): Promise<FleetContext> {
  const { contexts, 'current-context': current } = parseContextFile(await readText(file), file);
  const names = Object.keys(contexts);
  const chosen = name ?? current ?? (names.length === 1 ? names[0] : undefined);
  const list = names.map((known) => `"${known}"`).join(', ');
  if (names.length === 0)
    throw invalid(file, 'contexts', `Cannot choose a context: ${file} holds none; add one, as "lamactl --help" shows`);
  if (chosen === undefined) {
    throw invalid(
      file,
      'current-context',
      `Cannot choose a context: ${file} has no current-context and holds ${list}; name one with --context`,
    );
  }
  const context = contextIn(file, contexts, chosen);
  if (!context) throw invalid(file, 'contexts', `Cannot use context "${chosen}": ${file} holds ${list}${didYouMean(chosen, names)}`);
  return context;
}

/** The context of that name; undefined where there is none yet, or no file. Throws CONFIG_INVALID. */
export async function contextIfThere(file: string, name: string): Promise<FleetContext | undefined> {
  const text = await readIfThere(file);
  return text === undefined ? undefined : contextIn(file, parseContextFile(text, file).contexts, name);
}

/** What it names is beside the file. */
function contextIn(file: string, contexts: Contexts['contexts'], name: string): FleetContext | undefined {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (!context) return undefined;
  const from = (path: string) => resolve(dirname(file), path);
  const { ca, certificate, key, keyring, nodes } = context;
  const files = { ca: from(ca), certificate: from(certificate), key: from(key), ...(keyring !== undefined && { keyring: from(keyring) }) };
  return { name, ...files, nodes };
}

function didYouMean(name: string, known: readonly string[]): string {
  const meant = nearestName(name, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/** The name of the file's current context, or of its only one; undefined when there is no file, or no telling. Throws CONFIG_INVALID. */
export async function chosenContext(file: string): Promise<string | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const { contexts, 'current-context': current } = parseContextFile(text, file);
  const names = Object.keys(contexts);
  return current ?? (names.length === 1 ? names[0] : undefined);
}

/** The names that a command line may say, for completion: none of a file that cannot be read, which is no moment to complain. */
export async function readNames(
  env: Readonly<Record<string, string | undefined>>,
  homeDirectory: string,
  context: string | undefined,
): Promise<{ readonly nodes: readonly string[]; readonly contexts: readonly string[] }> {
  const file = contextFilePath(env, homeDirectory);
  try {
    const contexts = Object.keys(parseContextFile(await readText(file), file).contexts);
    const nodes = await readContext(file, context).then(
      (chosen) => Object.keys(chosen.nodes),
      () => [],
    );
    return { nodes, contexts };
  } catch {
    return { nodes: [], contexts: [] };
  }
}

async function readText(file: string): Promise<string> {
  const wording = { name: `the context file ${file}`, ifMissing: 'write one, as "lamactl --help" shows, or name yours in LAMACTL_CONFIG' };
  return (await readInput(file, MAX_CONTEXT_FILE_BYTES, wording)).toString('utf8');
}

type Contexts = v.InferOutput<typeof ContextFile>;

/** A command asks for its context several times, and that of ten thousand nodes takes a while to read. */
let last: { readonly text: string; readonly contexts: Contexts } | undefined;

/** Checks the text of a context file. Throws CONFIG_INVALID with the file, line and field. */
export function parseContextFile(text: string, file: string): Contexts {
  if (last?.text !== text) last = { text, contexts: parseConfig(ContextFile, text, file) };
  return last.contexts;
}

function invalid(file: string, field: string, message: string): Failure {
  return new Failure('CONFIG_INVALID', message, { file, field });
}
