// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import type { BundleSource, Inspection } from '../../node/node-update.ts';
import type { Paint } from '../../output/colour.ts';
import { type Cell, facts } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { bundleOnNetwork } from '../options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, WORK_TIMEOUT_MS } from '../session.ts';

export function addInspect(program: Command, run: Run): void {
  program
    .command('inspect')
    .summary('read and verify a bundle')
    .description("Read a bundle's manifest on each node, verify its signature there, and tell whether it fits. Changes nothing.")
    .argument('<bundle>', 'an absolute path on the node, or an https: URL where the node can stream (usual --timeout: 60s)')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl inspect -n attic /data/lamadist.raucb', 'a bundle on the node'],
          ['lamactl inspect --all https://images.lan/lamadist.raucb', 'does it fit every node?'],
        ],
        ['done', 'not-found', 'refused', ...NODE_EXITS],
      ),
    )
    .action((bundle: string, _options: unknown, command: Command) => run(command, (session) => inspect(session, bundleOnNetwork(bundle))));
}

function inspect(session: Session, source: BundleSource): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(WORK_TIMEOUT_MS), (node) => node.inspect(source), {
    document: (inspection) => ({ ...inspection }),
    text: (answers) =>
      given(answers)
        .map(({ node, value }) => inspectionText(session.paint, node, value))
        .join('\n'),
    exit: () => 'done',
  });
}

function inspectionText(paint: Paint, node: string, { bundle, compatibleWithNode, failedHere }: Inspection): string {
  const fits: Cell = compatibleWithNode
    ? { text: 'yes', style: 'good' }
    : { text: `no: it is for ${bundle.compatible || 'another kind of node'}`, style: 'bad' };
  const failed: Cell = failedHere ? { text: 'yes: install refuses it without --force', style: 'warning' } : 'no';
  return facts(paint, [
    ['Node', node],
    ['Version', bundle.version],
    ['Compatible', bundle.compatible],
    ['Description', bundle.description],
    ['Build', bundle.build],
    ['Format', bundle.format],
    ['Manifest', bundle.manifestHash],
    ['Fits this node', fits],
    ['Failed here before', failed],
  ]);
}
