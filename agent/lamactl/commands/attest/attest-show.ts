// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import { printable } from '../../../shared/printable.ts';
import type { ComparedPcr } from '../../attest/compare.ts';
import type { Policy } from '../../attest/policy.ts';
import type { Reported } from '../../attest/reported.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { type ExitName, worst } from '../../exit-code.ts';
import { fanOut } from '../../fleet/fan-out.ts';
import { readInput } from '../../input-file.ts';
import { renderDocument } from '../../output/document.ts';
import { failureText } from '../../output/failure-text.ts';
import { type Cell, facts, table } from '../../output/table.ts';
import { verdictCell, verdictFacts } from '../../output/verdict-text.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { type Run, type Session, TPM_TIMEOUT_MS } from '../session.ts';
import { ATTEST_EXITS, exitOfAttestation } from './attest-exit.ts';
import { POLICY_LIMIT_BYTES } from './attest-verify.ts';

interface Options {
  readonly evidence?: string;
  readonly policy?: string;
}

export function addAttestShow(attest: Command, run: Run): void {
  attest
    .command('show')
    .summary('what is expected, what was reported, and what lies behind a difference')
    .description(
      'Show PCR by PCR what the policy expects and what the node reports now, or reported in a file; under a PCR that is wrong, the events of its logs, marked where they differ from the last evidence that was trusted.',
    )
    .option('--evidence <file>', 'evidence that was saved, in the place of what the node says now')
    .option('--policy <file>', 'with --evidence: the policy; no context is needed then')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl attest show -n attic', 'why it is rejected'],
          ['lamactl attest show --evidence attic.json --policy attic.yaml', 'without a network'],
        ],
        [...ATTEST_EXITS, 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => show(session, options)));
}

interface Shown {
  readonly node: string;
  readonly verdict: Verdict;
  readonly pcrs: readonly ComparedPcr[];
  /** What the evidence says beside; absent where there is none, or none that can be read. */
  readonly reported?: Reported;
  readonly failure?: Failure;
}

async function show(session: Session, options: Options): Promise<ExitName> {
  if (options.evidence === undefined && options.policy !== undefined)
    throw new Failure('INVALID_REQUEST', 'Cannot compare a node with a file: --policy goes with --evidence', { field: 'policy' });
  const shown = options.evidence === undefined ? await showNodes(session) : [await showFile(options.evidence, options.policy)];
  const { world, format } = session;
  if (format === 'table') {
    for (const each of shown) world.stdout.write(shownText(session, each));
    for (const { node, failure } of shown) if (failure) world.stderr.write(failureText(node, failure));
  } else {
    world.stdout.write(
      await renderDocument(format, {
        nodes: shown.map(({ node, verdict, pcrs, reported }) => ({ node, ...verdict, pcrs, ...(reported && { reported }) })),
      }),
    );
  }
  return worst(shown.map(exitOfAttestation));
}

async function showNodes({ world, ...session }: Session): Promise<readonly Shown[]> {
  const { attestNode } = await import('../../trust/attest-node.ts');
  const { comparePcrs } = await import('../../attest/compare.ts');
  const { reported } = await import('../../attest/reported.ts');
  const store = await session.expectations();
  const timeoutMs = session.timeoutMs(TPM_TIMEOUT_MS);
  return fanOut(await session.targets(), async (target) => {
    // Read before it is judged: what is trusted now takes its place.
    const trusted = await store.trusted(target.name);
    const { verdict, evidence, policy, failure } = await attestNode(target, { world, connect: world.connect, store, timeoutMs });
    return compared(target.name, verdict, () => {
      if (!evidence || !policy) return { pcrs: [], ...(failure && { failure }) };
      return { pcrs: comparePcrs(evidence, policyOf(verdict, policy), trusted), reported: reported(evidence) };
    });
  });
}

async function showFile(evidenceFile: string, policyFile: string | undefined): Promise<Shown> {
  const { EVIDENCE_LIMIT_BYTES, readEvidence } = await import('../../attest/evidence.ts');
  const { readPolicy } = await import('../../attest/policy.ts');
  const { claimedChallenge } = await import('../../attest/challenge.ts');
  const { verify } = await import('../../attest/verify.ts');
  const { comparePcrs } = await import('../../attest/compare.ts');
  const { reported } = await import('../../attest/reported.ts');
  const evidence = readEvidence(await readInput(evidenceFile, EVIDENCE_LIMIT_BYTES));
  if (policyFile === undefined)
    throw new Failure('INVALID_REQUEST', 'Cannot show evidence alone: say what it is compared with by --policy', { field: 'policy' });
  const policy = readPolicy((await readInput(policyFile, POLICY_LIMIT_BYTES)).toString('utf8'), policyFile);
  const verdict = verify({ evidence, policy, challenge: claimedChallenge(evidence, policy.pcr_bank) });
  return compared(evidenceFile, verdict, () => ({
    pcrs: comparePcrs(evidence, policyOf(verdict, policy), undefined),
    reported: reported(evidence),
  }));
}

/** A node that runs the image before the last update is compared with that. */
function policyOf(verdict: Verdict, policy: Policy): Policy {
  return 'image' in verdict ? { ...policy, pcrs: { ...policy.pcrs, ...policy.previous } } : policy;
}

/** Logs that cannot be read leave the verdict, which says so. */
function compared(node: string, verdict: Verdict, compare: () => Omit<Shown, 'node' | 'verdict'>): Shown {
  try {
    return { node, verdict, ...compare() };
  } catch (thrown) {
    if (verdict.verdict !== 'REJECTED') throw thrown;
    return { node, verdict, pcrs: [] };
  }
}

const STYLES = {
  'as expected': 'good',
  'not as expected': 'bad',
  'not explained': 'bad',
  explained: 'faint',
  unlogged: 'warning',
} as const;

function shownText({ paint }: Session, { node, verdict, pcrs, reported }: Shown): string {
  const { image, believed, reason, found } = verdictFacts(verdict);
  const about = facts(paint, [
    ['Node', node],
    ['Verdict', verdictCell(verdict)],
    ['Image', image],
    ['Believed', believed],
    ['Reason', reason],
    ['Found', found],
    ...(reported ? reportedRows(reported) : []),
  ]);
  const rows = pcrs.flatMap(({ pcr, state, expected, from, reported }): readonly (readonly Cell[])[] => [
    [String(pcr), { text: state, style: STYLES[state] }, from, reported],
    ...(state === 'not as expected' ? expected.map((value) => ['', '', 'expected', value]) : []),
  ]);
  const behind = pcrs.filter(({ events }) => events.length > 0).map((each) => eventsText(paint, each));
  return [about, ...(rows.length > 0 ? [table(paint, ['PCR', 'STATE', 'FROM', 'VALUE'], rows)] : []), ...behind].join('\n');
}

function reportedRows({ tpmFirmware, clock, resetCount, restartCount, secureBoot, authorities }: Reported): [string, string][] {
  return [
    ['TPM firmware', tpmFirmware],
    ['TPM clock', `${clock} ms, reset ${resetCount} and restarted ${restartCount} times`],
    ['Secure Boot', secureBoot],
    ...authorities.map((authority): [string, string] => ['Authority', authority]),
  ];
}

/** IMA's log has thousands of lines; the last of them are what is new. */
const EVENTS_SHOWN = 200;

function eventsText(paint: Session['paint'], { pcr, events, replayed, state }: ComparedPcr): string {
  const leads = state === 'not explained' ? `The logs lead to ${replayed || 'nothing that was reported'}.\n` : '';
  const left = Math.max(0, events.length - EVENTS_SHOWN);
  const rows = events
    .slice(left)
    .map(({ mark, log, index, type, digest, text }): readonly Cell[] => [
      { text: mark, style: mark === '' ? 'faint' : 'bad' },
      `${log} ${index}`,
      type,
      digest.slice(0, 16),
      printable(text),
    ]);
  const head = `Behind PCR ${pcr}${left > 0 ? `, without the first ${left}` : ''}:\n${leads}`;
  return head + table(paint, ['', 'EVENT', 'TYPE', 'DIGEST', 'SAYS'], rows);
}
