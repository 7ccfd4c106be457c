// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GATES, type GateName } from '../../rollout/plan.ts';
import { parseShare, parseWaves, type Share, type WaveSize } from '../../rollout/waves.ts';
import { count, duration, maintenanceWindow, rate } from '../options.ts';

/** What a rollout is to be: kept with it, from its start on. */
export interface PlanOptions {
  readonly bundle: string;
  readonly onNode?: true;
  readonly waves: readonly WaveSize[];
  readonly maxUnavailable: Share;
  readonly tolerate?: Share;
  readonly gate: readonly GateName[];
  readonly window?: string;
  readonly pauseAfter?: number;
  /** Milliseconds, like all times here. */
  readonly soak?: number;
  readonly waitForAbsent: number;
  readonly nodeTimeout: number;
  readonly limitRate?: number;
  readonly peers?: true;
  readonly force?: true;
  readonly allowDowngrade?: true;
}

const TEN_MINUTES_MS = 600_000;
const HALF_AN_HOUR_MS = 1_800_000;
const WEEK_MS = 7 * 86_400_000;

/** How long a node may take where it has to wait for its window, which may be a week away. */
export const WINDOW_NODE_MS = WEEK_MS + HALF_AN_HOUR_MS;

export function withPlanOptions(command: Command): Command {
  return command
    .requiredOption('--bundle <bundle>', 'a file on this machine, an https: URL that the nodes can reach, or with --on-node a path on each')
    .option('--on-node', 'the bundle is an absolute path on the nodes')
    .addOption(
      new Option('--waves <sizes>', 'how many nodes each wave takes').argParser(waves).default(parseWaves('1,10%,rest'), '1,10%,rest'),
    )
    .addOption(
      new Option('--max-unavailable <share>', 'so many nodes may be down at once: 3, or 10%')
        .argParser(share)
        .default({ percent: 10 }, '10%, at least one'),
    )
    .addOption(new Option('--tolerate <share>', 'go on past so many nodes that fail or roll back (default: none)').argParser(share))
    .addOption(
      new Option('--gate <gates>', `what each node has to pass: ${GATES.join(', ')}`).argParser(gates).default(['health'], 'health'),
    )
    .addOption(
      new Option(
        '--window <window>',
        'nodes start and reboot within this window only, by themselves; of a wave as many at once as may be down',
      ).argParser(maintenanceWindow),
    )
    .addOption(new Option('--pause-after <wave>', 'pause when this wave is over').argParser(count))
    .addOption(new Option('--soak <duration>', 'watch each wave for so long before the next').argParser(duration))
    .addOption(
      new Option('--wait-for-absent <duration>', 'wait so long for a node that is away, and then go on without it')
        .argParser(duration)
        .default(TEN_MINUTES_MS, '10m'),
    )
    .addOption(
      new Option('--node-timeout <duration>', 'the most that one node may take').argParser(duration).default(HALF_AN_HOUR_MS, '30m'),
    )
    .addOption(new Option('--limit-rate <rate>', 'each node fetches at most so much a second').argParser(rate))
    .option('--peers', 'nodes fetch a file of this machine from nodes of earlier waves, which keep it, before they ask for it here')
    .option('--force', 'install a version although it failed on a node before')
    .option('--allow-downgrade', 'install a version that is older than the one that runs');
}

/** What belongs to whoever runs a rollout, and is said again by whoever goes on with it. */
export interface RunOptions {
  /** Where the bundle lies on this machine, if elsewhere than at the start. */
  readonly bundleFile?: string;
  readonly kubeconfig?: string;
  readonly drainTimeout: number;
  readonly expect?: string;
  readonly header: readonly string[];
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

const FIVE_MINUTES_MS = 300_000;

export function withRunOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'for --gate k3s: the kubeconfig for kubectl')
    .addOption(
      new Option('--drain-timeout <duration>', 'for --gate k3s: the most that a drain may take')
        .argParser(duration)
        .default(FIVE_MINUTES_MS, '5m'),
    )
    .option('--expect <file>', 'for --gate attestation: what the new image leads to, where the bundle does not say')
    .addOption(
      new Option('--header <header>', 'for the URL\'s server: "Name: value", or @file with such lines')
        .argParser((line: string, lines: readonly string[]) => [...lines, line])
        .default([], 'none'),
    )
    .option('--client-certificate <file>', "PEM of the certificate to show to the URL's server")
    .option('--client-key <file>', 'PEM of its key');
}

function waves(text: string): readonly WaveSize[] {
  const sizes = parseWaves(text);
  if (!sizes) throw new InvalidArgumentError('Say sizes such as 1,10%,rest.');
  return sizes;
}

function share(text: string): Share {
  const parsed = parseShare(text);
  if (!parsed) throw new InvalidArgumentError('Say a number of nodes, or a part such as 10%.');
  return parsed;
}

function gates(text: string): readonly GateName[] {
  const names = text.split(',').map((name) => GATES.find((gate) => gate === name.trim()));
  if (names.includes(undefined)) throw new InvalidArgumentError(`Say some of ${GATES.join(', ')}, with commas.`);
  return GATES.filter((gate) => names.includes(gate));
}
