// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import { type ExitName, exitOfFailure, worst } from '../../exit-code.ts';
import { fanOut } from '../../fleet/fan-out.ts';
import type { Target } from '../../node/node.ts';
import { failureDocument, renderDocument, renderEvent } from '../../output/document.ts';
import { failureText } from '../../output/failure-text.ts';
import { type Cell, table } from '../../output/table.ts';
import { localTime } from '../../output/time.ts';
import { verdictCell, verdictFacts } from '../../output/verdict-text.ts';
import type { Attestation } from '../../trust/attest-node.ts';
import type { ExpectationStore } from '../../trust/expectation-store.ts';
import type { VerdictMetrics } from '../../trust/verdict-metrics.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { duration } from '../options.ts';
import { type Run, type Session, TPM_TIMEOUT_MS } from '../session.ts';
import { ATTEST_EXITS, exitOfAttestation } from './attest-exit.ts';

interface Options {
  /** Milliseconds. */
  readonly watch?: number;
  /** A folder. */
  readonly save?: string;
  readonly record?: string;
  readonly metricsFile?: string;
  readonly metricsListen?: string;
}

interface Judged extends Attestation {
  readonly node: string;
}

export function addAttestRun(attest: Command, run: Run): void {
  attest
    .command('run')
    .summary('judge nodes now')
    .description('Ask nodes for evidence that answers a question of now, and judge each by its policy. Only TRUSTED is fine.')
    .addOption(new Option('--watch <period>', 'again and again, with so much time between, until Ctrl-C').argParser(duration))
    .option('--save <folder>', 'keep the evidence there, for "attest verify"')
    .option('--record <file>', 'append evidence, policy and verdict to a chained record, for "attest record"')
    .option('--metrics-file <file>', "write the verdicts for node_exporter's textfile collector (.prom)")
    .option('--metrics-listen <address>', 'with --watch: serve the verdicts to Prometheus, on a loopback address such as 127.0.0.1:9478')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl attest run --all', 'one line a node'],
          ['lamactl attest run -n attic --save evidence', 'and keep what it rests on'],
          ['lamactl attest run --all --watch 60s --metrics-listen 127.0.0.1:9478', 'for alerts'],
        ],
        [...ATTEST_EXITS, 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => attestNodes(session, options)));
}

async function attestNodes(session: Session, options: Options): Promise<ExitName> {
  const { VerdictMetrics } = await import('../../trust/verdict-metrics.ts');
  const targets = await session.targets();
  const store = await session.expectations();
  const metrics = new VerdictMetrics();
  const stopServing = await serveMetrics(options, metrics);
  const stream = session.format === 'jsonl' || (options.watch !== undefined && session.format !== 'table') ? session.format : undefined;
  const event = options.watch === undefined ? {} : { type: 'verdict' };
  const interrupt = new AbortController();
  const stopListening = options.watch === undefined ? () => {} : session.world.onInterrupt(() => interrupt.abort());
  try {
    for (;;) {
      // Known as soon as it is, for one node may take minutes; a table waits for its last line.
      const judged = await judgeAll(session, targets, store, async (each) => {
        metrics.keep(each);
        if (stream) session.world.stdout.write(await renderEvent(stream, { ...documentOf(each), ...event }));
      });
      if (!stream) await print(session, judged);
      const unkept = await failuresOf([() => writeMetrics(metrics, options), () => save(judged, options), () => record(judged, options)]);
      for (const failure of unkept) session.world.stderr.write(failureText('lamactl', failure));
      if (options.watch !== undefined) await session.world.clock.sleep(options.watch, interrupt.signal);
      if (options.watch === undefined || interrupt.signal.aborted) {
        return worst([...judged.map(exitOfAttestation), ...unkept.map(exitOfFailure)]);
      }
    }
  } finally {
    stopListening();
    stopServing();
  }
}

async function serveMetrics({ watch, metricsListen }: Options, metrics: VerdictMetrics): Promise<() => void> {
  if (metricsListen === undefined) return () => {};
  const { serveVerdictMetrics } = await import('../../trust/verdict-metrics-server.ts');
  return serveVerdictMetrics(metricsListen, metrics, watch !== undefined);
}

async function judgeAll(
  { world, ...session }: Session,
  targets: readonly Target[],
  store: ExpectationStore,
  tell: (judged: Judged) => Promise<void>,
): Promise<readonly Judged[]> {
  const { attestNode } = await import('../../trust/attest-node.ts');
  const timeoutMs = session.timeoutMs(TPM_TIMEOUT_MS);
  return fanOut(targets, async (target) => {
    const judged = { node: target.name, ...(await attestNode(target, { world, connect: world.connect, store, timeoutMs })) };
    await tell(judged);
    return judged;
  });
}

/** Verdicts are shown though they cannot be kept: what could not be done, each by itself. */
async function failuresOf(tasks: readonly (() => Promise<void>)[]): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const task of tasks) await task().catch((thrown: unknown) => failures.push(Failure.from(thrown)));
  return failures;
}

async function writeMetrics(metrics: VerdictMetrics, { metricsFile }: Options): Promise<void> {
  if (metricsFile !== undefined) await metrics.write(metricsFile);
}

async function save(judged: readonly Judged[], { save: folder }: Options): Promise<void> {
  const { writeEvidence } = await import('../../attest/evidence.ts');
  const { writeWhole } = await import('../../whole-file.ts');
  for (const { node, evidence, time } of judged) {
    if (folder !== undefined && evidence)
      await writeWhole(join(folder, `${node}-${time.replaceAll(':', '')}.json`), writeEvidence(evidence));
  }
}

async function record(judged: readonly Judged[], { record: file }: Options): Promise<void> {
  if (file === undefined) return;
  const { appendToRecord } = await import('../../trust/evidence-record.ts');
  await appendToRecord(file, judged);
}

function documentOf({ node, verdict, failure, time }: Judged) {
  return { node, ...verdict, time, ...(failure && { error: failureDocument(failure) }) };
}

async function print({ world, format, paint }: Session, judged: readonly Judged[]): Promise<void> {
  world.stdout.write(
    format === 'table'
      ? table(paint, ['NODE', 'VERDICT', 'TIME', 'REASON', 'PCR', 'EVENT', 'WHY'], judged.map(row))
      : await renderDocument(format, { nodes: judged.map(documentOf) }),
  );
}

function row({ node, verdict, time }: Judged): readonly Cell[] {
  const { image, believed, reason, pcr, event, found } = verdictFacts(verdict);
  const why = [image, believed && `believed at first use: ${believed}`, found].filter((each) => each !== '');
  return [node, verdictCell(verdict), localTime(time), reason, pcr, event, why.join('; ')];
}
