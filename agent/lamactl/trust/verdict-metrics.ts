// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '../attest/verdict.ts';
import { writeWhole } from '../whole-file.ts';

const VERDICTS = ['TRUSTED', 'TRUSTED (first use)', 'REJECTED', 'UNATTESTED', 'UNKNOWN'] as const satisfies readonly Verdict['verdict'][];

/** Label values are words: "trusted", "trusted_first_use". */
const label = (verdict: Verdict['verdict']) =>
  verdict
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '_')
    .replace(/_$/, '');

interface Judged {
  readonly node: string;
  readonly verdict: Verdict;
  /** RFC 3339. */
  readonly time: string;
}

/** The last verdict on each node, and when it was given, in the text format of Prometheus; the age is what the query makes of it. */
export class VerdictMetrics {
  readonly #judged = new Map<string, Judged>();

  keep(judged: Judged): void {
    this.#judged.set(judged.node, judged);
  }

  text(): string {
    const all = [...this.#judged.values()];
    const verdicts = all.flatMap(({ node, verdict }) =>
      VERDICTS.map(
        (each) => `lamadist_attestation_verdict{node="${escaped(node)}",verdict="${label(each)}"} ${verdict.verdict === each ? 1 : 0}`,
      ),
    );
    const previous = all.map(
      ({ node, verdict }) => `lamadist_attestation_image_previous{node="${escaped(node)}"} ${'image' in verdict ? 1 : 0}`,
    );
    const times = all.map(({ node, time }) => `lamadist_attestation_timestamp_seconds{node="${escaped(node)}"} ${Date.parse(time) / 1000}`);
    return [
      '# HELP lamadist_attestation_verdict Whether this was the last verdict on the node.',
      '# TYPE lamadist_attestation_verdict gauge',
      ...verdicts,
      '# HELP lamadist_attestation_image_previous Whether the node proved to run the image before the last update.',
      '# TYPE lamadist_attestation_image_previous gauge',
      ...previous,
      '# HELP lamadist_attestation_timestamp_seconds When the node was last judged, in seconds since the epoch.',
      '# TYPE lamadist_attestation_timestamp_seconds gauge',
      ...times,
      '',
    ].join('\n');
  }

  /** The file is readable by everyone: the collector runs as another user. */
  async write(file: string): Promise<void> {
    await writeWhole(file, this.text(), 0o644);
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
