// SPDX-License-Identifier: Apache-2.0

/** Why a scenario of test/integration/node cannot run in a machine, by file. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  'attestation.test.ts': 'the launcher measures there, and the firmware here: see test/machine/attestation.test.ts',
  'install-gate.test.ts': 'the launcher measures there, and the firmware here: see test/machine/attestation.test.ts',
  'bundles.test.ts': 'it makes bad bundles of the format "plain", which a machine refuses whatever is in them',
  'clock.test.ts': "it turns the clock of one process's namespace",
  'download.test.ts': 'it is for kernels that cannot stream: see test/machine/streaming.test.ts',
  'joining.test.ts': 'nothing of a machine has a word in enrolment; of words on the command line see test/machine/addon.test.ts',
  'removable-medium.test.ts': 'it pretends that a stick was mounted: see test/machine/streaming.test.ts',
};

/**
 * The scenarios that `npm run test:vm` runs unchanged, by file: those in which firmware, kernel, initramfs or disk have a word. Of a
 * file that is not here none is, unless LAMADIST_SCENARIOS is "all".
 */
export const CHOSEN: Readonly<Record<string, readonly RegExp[]>> = {
  'update.test.ts': [
    /^is rolled back when the power is cut and the boot loader gives one try/,
    /^is rolled back at the commit deadline when the image has no agent/,
  ],
  'lost-data.test.ts': [/^is on the disk when the power is cut in that moment/],
};

/** Scenarios of which a test of test/machine, which it names, shows more, by file. */
export const COVERED: Readonly<Record<string, readonly (readonly [name: RegExp, by: string])[]>> = {
  'update.test.ts': [[/^is rolled back when the new slot never reaches userspace/, 'boot-faults.test.ts']],
  'in-between.test.ts': [[/^is rolled back each time, is remembered each time/, 'bad-updates.test.ts']],
};

/** Why a test is not run in the machine; undefined when it is. */
export function whyElsewhere(file: string, test: string, scenarios: string | undefined): string | undefined {
  const elsewhere = ELSEWHERE[file];
  if (elsewhere !== undefined) return elsewhere;
  if (scenarios === 'all' || CHOSEN[file]?.some((name) => name.test(test))) return undefined;
  const [, by] = COVERED[file]?.find(([name]) => name.test(test)) ?? [];
  if (by) return `test/machine/${by} shows more of it`;
  return 'it takes minutes and shows nothing that the namespaces do not; LAMADIST_SCENARIOS=all runs it, too';
}
