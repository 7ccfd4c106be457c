// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { EXIT_NAMES } from '../exit-code.ts';
import { isInCluster, servesOf } from './k3s-labels.ts';
import { countOf, limitOf, type Share, sizeText, type WaveSize } from './waves.ts';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const GATES = ['health', 'attestation', 'k3s'] as const;
export type GateName = (typeof GATES)[number];

/** What never changes in a rollout. The schema is the format in which it is kept, on the laptop and on nodes. */
export const PlanSchema = v.object({
  id: text,
  /** What nobody else has: two rollouts never have one id. */
  salt: text,
  createdAtMs: v.number(),
  /** What nodes install: as it was said, and what is known of it. */
  bundle: v.object({
    argument: text,
    source: v.union([
      v.object({ path: text }),
      v.object({ url: text }),
      v.object({ client: v.object({ name: text, sizeBytes: count, sha256: text }) }),
    ]),
    /** Empty where only a node can read it. */
    version: text,
    compatible: text,
  }),
  options: v.object({
    maxUnavailable: count,
    /** So many nodes may fail or roll back before the rollout stops. */
    tolerate: count,
    gates: v.array(v.picklist(GATES)),
    window: text,
    /** The wave after which it pauses, counted from 1; 0: none. */
    pauseAfter: count,
    soakMs: count,
    /** How long a node may be away before the rollout goes on without it. */
    absentMs: count,
    /** How long a node may take, from the request to its end. */
    nodeMs: count,
    bytesPerSecond: count,
    /** Whether nodes fetch from those of earlier waves. */
    peers: v.optional(v.boolean()),
    force: v.boolean(),
    allowDowngrade: v.boolean(),
  }),
  /** In the order in which they are updated; each once. */
  nodes: v.array(
    v.object({
      name: text,
      /** From 0. */
      wave: count,
      /** The k3s cluster that it is a server of; empty for none. */
      serves: text,
    }),
  ),
  waves: count,
  /** Nodes that were asked for and have no part in it, although they do not run what it brings; absent where there are none. */
  leftOut: v.optional(v.array(v.object({ name: text, why: text }))),
  /** What the rollout ends with at best because of them; absent: `refused`. */
  leftOutExit: v.optional(v.picklist(EXIT_NAMES)),
  /** The nodes that keep the record; an odd number of them, and a majority decides. */
  witnesses: v.array(text),
});

export type Plan = v.InferOutput<typeof PlanSchema>;
type PlannedNode = Plan['nodes'][number];

/** What is known of a node before a rollout. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state:
    | {
        readonly answers: true;
        readonly version: string;
        readonly compatible: string;
        /** Whether it runs what this very file brought: of a file, nobody else tells the version. */
        readonly runsFile: boolean;
        /** What it has under way; empty for nothing. */
        readonly busyWith: string;
      }
    | { readonly answers: false; readonly why: string };
}

export interface PlanRequest {
  readonly waves: readonly WaveSize[];
  readonly maxUnavailable: Share;
  /** Of the bundle; empty where it is not known. */
  readonly version: string;
  readonly compatible: string;
}

/** Which node comes when, and why; which does not come at all, and why. */
export interface Schedule {
  readonly nodes: readonly (PlannedNode & { readonly why: string })[];
  readonly waves: number;
  readonly maxUnavailable: number;
  readonly witnesses: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

interface LeftOut {
  readonly name: string;
  readonly why: string;
  /** Whether it is where the rollout would bring it; any other stays behind. */
  readonly runsIt: boolean;
}

const MAX_WITNESSES = 5;

/**
 * Plans a rollout: every node that was asked for is in exactly one wave, or left out with a reason. The same facts give the same
 * plan, in whatever order they come.
 */
export function planRollout(facts: readonly NodeFacts[], request: PlanRequest): Schedule {
  const sorted = [...facts].sort((a, b) => (a.name < b.name ? -1 : 1));
  const leftOut = sorted.flatMap((node) => leaveOut(node, request));
  const gone = new Set(leftOut.map(({ name }) => name));
  const ranked = sorted
    .filter(({ name }) => !gone.has(name))
    .map((node) => ({ node, ...rankOf(node) }))
    .sort((a, b) => a.rank - b.rank);
  const sizes = waveSizes(request.waves, ranked.length);
  const nodes = ranked.map(({ node, why }, index) => {
    const wave = sizes.findIndex(({ end }) => index < end);
    return { name: node.name, wave, serves: servesOf(node.labels), why: `${why} (${sizes[wave]?.why})` };
  });
  return {
    nodes,
    waves: sizes.length,
    maxUnavailable: limitOf(request.maxUnavailable, nodes.length),
    witnesses: witnessesOf(ranked.filter(({ node }) => node.state.answers).map(({ node }) => node.name)),
    leftOut,
  };
}

function leaveOut({ name, state }: NodeFacts, { version, compatible }: PlanRequest): readonly LeftOut[] {
  if (!state.answers) return [];
  if (state.runsFile || (version !== '' && state.version === version)) {
    return [{ name, why: `it runs ${state.version} already`, runsIt: true }];
  }
  if (compatible !== '' && state.compatible !== '' && state.compatible !== compatible) {
    return [{ name, why: `it is ${state.compatible}, and the bundle is for ${compatible}`, runsIt: false }];
  }
  return state.busyWith === '' ? [] : [{ name, why: `it has an update under way: ${state.busyWith}`, runsIt: false }];
}

/** Whom a failure would hurt least comes first; who does not answer comes last, so as to hold up nobody. */
function rankOf({ labels, state }: NodeFacts): { readonly rank: number; readonly why: string } {
  if (!state.answers) return { rank: 3, why: `last, for it does not answer: ${state.why}` };
  if (servesOf(labels) !== '') return { rank: 2, why: 'after the others, for it is a k3s server; never two at once' };
  if (isInCluster(labels)) return { rank: 1, why: 'before the k3s servers, for it is a k3s agent' };
  return { rank: 0, why: 'among the first, for no cluster needs it' };
}

function waveSizes(sizes: readonly WaveSize[], total: number): readonly { readonly end: number; readonly why: string }[] {
  const waves: { end: number; why: string }[] = [];
  let begin = 0;
  for (const size of sizes) {
    const end = size === 'rest' ? total : Math.min(total, begin + countOf(size, total));
    if (end > begin) waves.push({ end, why: `wave ${waves.length + 1} takes ${sizeText(size)} of ${total}` });
    begin = end;
  }
  return waves;
}

/** Who comes late is there the longest without a reboot. */
function witnessesOf(names: readonly string[]): readonly string[] {
  const most = Math.min(MAX_WITNESSES, names.length);
  const odd = most === 0 ? 0 : most - ((most + 1) % 2);
  return [...names].reverse().slice(0, odd);
}
