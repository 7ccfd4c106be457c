// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import { BundleFile } from '../../node/bundle-file.ts';
import type { BundleSource, InstallRequest } from '../../node/node-update.ts';
import { peerOf } from '../../node/peer.ts';
import { serve } from '../../node/serve.ts';
import { readUrlAccess, type UrlAccessOptions } from '../../node/url-access.ts';
import type { InstallGate } from '../../trust/install-gate.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { bundleArgument, maintenanceWindow, rate, waitOption } from '../options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { hint, type Run, type Session, TPM_TIMEOUT_MS, USUAL_TIMEOUT_MS } from '../session.ts';
import { followUpdates } from './follow-updates.ts';

export function addInstall(program: Command, run: Run): void {
  program
    .command('install')
    .summary('install a bundle and watch it to its commit or rollback')
    .description(
      'Install a bundle and watch it through the reboot and the trial, until the node commits it or rolls it back. Only a committed update is done. Ctrl-C leaves the update running; but a node that has not got the whole of a file of this machine yet gives up a minute later, unless the same command goes on with it.',
    )
    .argument('<bundle>', 'a file on this machine, an https: URL that the node can reach, or with --on-node a path on the node')
    .option('--on-node', 'the bundle is an absolute path on the node')
    .option('--allow-downgrade', 'install a version that is older than the one that runs')
    .addOption(new Option('--limit-rate <rate>', 'fetch at most so much a second').argParser(rate))
    .addOption(new Option('--window <window>', 'start and reboot within this window only; return at once').argParser(maintenanceWindow))
    .addOption(
      new Option('--header <header>', 'for the URL\'s server: "Name: value", or @file with such lines')
        .argParser((line: string, lines: readonly string[]) => [...lines, line])
        .default([], 'none'),
    )
    .option('--client-certificate <file>', "PEM of the certificate to show to the URL's server")
    .option('--client-key <file>', 'PEM of its key')
    .option('--keep-bundle', 'the node keeps a file of this machine on its disk, for other nodes, until its next update ends')
    .addOption(
      new Option('--peers <nodes>', 'fetch a file of this machine from these nodes first, which keep it').argParser((names: string) =>
        names.split(','),
      ),
    )
    .option('--force', 'install a version although it failed on the node before')
    .addOption(new Option('--reboot <when>', 'who reboots into the new version').choices(['automatic', 'manual']).default('automatic'))
    .addOption(waitOption())
    .option('--require-attestation', 'only on nodes that prove what they run; done only when they prove to run the new image')
    .option(
      '--expect <file>',
      'with --require-attestation: what the new image leads to, where the bundle does not say: its UKI, a bundle, or what "attest learn --uki" printed',
    )
    .option('--no-wait', 'return as soon as the node has accepted the update')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl install -n attic ./lamadist.raucb', 'give the node this file; install, reboot, watch to the end'],
          ['lamactl install -n attic --reboot manual --on-node /data/lamadist.raucb', 'stop before the reboot'],
          [
            'lamactl install -n attic --window "Sat 02:00-05:00 Europe/Berlin" https://images.lan/v2.raucb',
            'the node does it by itself, in that night',
          ],
          ['lamactl install -n attic --header @token.txt https://images.lan/v2.raucb', 'token.txt: "Authorization: Bearer …"'],
          ['lamactl install --all --require-attestation ./lamadist.raucb', 'from proof to proof'],
          ['lamactl install --all --no-wait https://images.lan/lamadist.raucb', 'start everywhere, watch later'],
        ],
        ['done', 'under-way', 'rolled-back', 'update-failed', 'rejected', 'refused', 'not-found', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((bundle: string, options: InstallOptions, command: Command) => run(command, (session) => install(session, bundle, options)));
}

/** Of a file with headers, or a PEM. */
const MAX_ACCESS_BYTES = 64 << 10;

interface InstallOptions extends UrlAccessOptions {
  readonly onNode?: true;
  readonly force?: true;
  readonly allowDowngrade?: true;
  readonly window?: string;
  readonly keepBundle?: true;
  readonly peers?: readonly string[];
  readonly requireAttestation?: true;
  readonly expect?: string;
  /** Bytes a second. */
  readonly limitRate?: number;
  readonly reboot: 'automatic' | 'manual';
  /** Milliseconds, or false for --no-wait. */
  readonly wait: number | false;
}

async function install(session: Session, bundle: string, options: InstallOptions): Promise<ExitName> {
  const argument = bundleArgument(bundle, options.onNode === true);
  const gate = await prepareGate(session, 'file' in argument ? argument.file : undefined, options);
  if (!('file' in argument)) {
    if (!options.keepBundle && !options.peers) return installFrom(session, argument, options, gate);
    const field = options.keepBundle ? 'keep-bundle' : 'peers';
    throw new Failure('INVALID_REQUEST', `Cannot use --${field}: only a file of this machine is kept by nodes`, { field });
  }
  if (options.window !== undefined) {
    throw new Failure('INVALID_REQUEST', 'Cannot give a file in a window: lamactl would have to wait for it; use --on-node or a URL');
  }
  if (options.wait === false && !options.peers) {
    throw new Failure(
      'INVALID_REQUEST',
      'Cannot give a file without waiting: lamactl would be gone before the node has it; use --on-node, a URL, or nodes that keep it (--peers)',
    );
  }
  const file = await BundleFile.open(argument.file);
  try {
    const peers = options.peers ? (await session.targetsOf(options.peers)).map(peerOf) : [];
    const client = peers.length > 0 ? { ...file.info, peers } : file.info;
    return await installFrom(session, { client }, options, gate, file);
  } finally {
    await file.close();
  }
}

/** What --require-attestation asks for, worked out before anything is done. */
async function prepareGate(session: Session, bundle: string | undefined, options: InstallOptions): Promise<InstallGate | undefined> {
  const { requireAttestation, expect, reboot, wait, window } = options;
  if (!requireAttestation) {
    if (expect === undefined) return undefined;
    throw new Failure('INVALID_REQUEST', 'Cannot use --expect: it needs --require-attestation', { field: 'expect' });
  }
  if (wait === false || reboot === 'manual' || window !== undefined) {
    const found = 'lamactl has to stay until the new image is booted, so that neither --no-wait, --window nor --reboot manual goes with it';
    throw new Failure('INVALID_REQUEST', `Cannot require attestation: ${found}`, { field: 'require-attestation' });
  }
  const file = expect ?? bundle;
  if (file === undefined) {
    throw new Failure('INVALID_REQUEST', 'Cannot tell what to expect of the new image: only the node can read the bundle; give --expect', {
      field: 'expect',
    });
  }
  const { InstallGate } = await import('../../trust/install-gate.ts');
  const { world } = session;
  const store = await session.expectations();
  const image = { file, keyring: store.keyring, nowMs: world.clock.now() };
  const timeoutMs = session.timeoutMs(TPM_TIMEOUT_MS);
  return InstallGate.prepare(await session.targets(), image, { world, connect: world.connect, store, timeoutMs });
}

async function installFrom(
  session: Session,
  source: BundleSource,
  options: InstallOptions,
  gate: InstallGate | undefined,
  file?: BundleFile,
): Promise<ExitName> {
  const { force, allowDowngrade, limitRate, reboot, window = '' } = options;
  const wait = window === '' ? options.wait : false;
  const urlAccess = await readUrlAccess(options, (name) => readInput(name, MAX_ACCESS_BYTES).then(String));
  const request: InstallRequest = {
    source,
    rebootPolicy: reboot,
    force: force === true,
    allowDowngrade: allowDowngrade === true,
    bytesPerSecond: limitRate ?? 0,
    window,
    ...(options.keepBundle && { keepBundle: true }),
    ...(urlAccess && { urlAccess }),
  };
  if (wait === false) return start(session, request);
  const { connect, clock } = session.world;
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  return followUpdates(session, {
    begin: async (node, target) => {
      const found = await gate?.before(target);
      return (found === 'runs-the-new-image' && (await node.update(''))?.operationId) || node.install(request);
    },
    ...(gate && { afterwards: (target) => gate.afterwards(target) }),
    ...(file && { beside: (target, operationId, signal) => serve(target, operationId, file, { connect, clock, timeoutMs, signal }) }),
    goal: 'committed',
    leaveManualReboot: reboot === 'manual',
    waitMs: wait,
  });
}

function start(session: Session, request: InstallRequest): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => node.install(request), {
    document: (operationId) => ({ operationId }),
    text: (answers) =>
      given(answers)
        .map(({ node, value }) => `${node}: started update ${value}; to watch it: ${hint(session, 'watch', [node])}\n`)
        .join(''),
    exit: () => 'done',
  });
}
