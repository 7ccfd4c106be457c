// SPDX-License-Identifier: Apache-2.0

const FORGES = "it changes the logs that the launcher wrote: test/machine/attacks.test.ts changes the firmware's";
const STREAMS = 'it is for kernels that cannot stream: see test/machine/streaming.test.ts';

/** Why all scenarios of a file of test/integration/node, or those of these names, cannot run in a machine. */
export const ELSEWHERE: Readonly<Record<string, string | readonly (readonly [name: RegExp, why: string])[]>> = {
  'attestation.test.ts': [
    [/^shows the events behind a PCR/, FORGES],
    [/^rejects logs that are prettier than the boot/, FORGES],
    [
      /^lets IMA go on while it is asked/,
      "it writes into the launcher's log; here IMA itself goes on while test/machine/attacks.test.ts asks",
    ],
    [/^rejects another TPM$/, 'the firmware keeps the hierarchy of the platform, and with another TPM the data does not open'],
  ],
  'assigned.test.ts': [
    [/^while it is downloading keeps what it has/, STREAMS],
    [/^is shown a token, which is found nowhere/, STREAMS],
  ],
  'disk-full.test.ts': [[/^in the middle of a download ends it/, STREAMS]],
  'download.test.ts': STREAMS,
  'laptop.test.ts': [
    [/^is gone on with when lamactl was killed half-way/, 'RAUC streams here, so nothing of a bundle is kept to go on with'],
  ],
  'peers.test.ts': "a machine reaches this host's loopback address alone, and no other machine",
  'removable-medium.test.ts': 'it pretends that a stick was mounted: see test/machine/streaming.test.ts',
  'update.test.ts': [[/^is tried again when the power is cut and the boot loader gives more tries/, "UEFI's BootNext gives one try"]],
};

/**
 * The scenarios that `npm run test:vm` runs unchanged, by file: those in which firmware, kernel, initramfs, disk or SELinux have a word
 * of their own. Of a file that is not here none is, unless LAMADIST_SCENARIOS is "all".
 */
export const CHOSEN: Readonly<Record<string, readonly RegExp[]>> = {
  'device.test.ts': [/^tells its posture, its disks/],
  'joining.test.ts': [/^is claimed only by the authority that its kernel command line pins/],
  'update.test.ts': [/^is rolled back at the commit deadline when the image has no agent/],
};

/**
 * Scenarios of which a test of test/machine, which it names, shows more, by file; and the command that runs it, where that is not
 * `npm run test:vm`.
 */
export const COVERED: Readonly<Record<string, readonly (readonly [name: RegExp, by: string, command?: string])[]>> = {
  'update.test.ts': [
    [/^is rolled back when the new slot never reaches userspace/, 'boot-faults.test.ts'],
    [/^is rolled back when the power is cut and the boot loader gives one try/, 'power-cut/power-cut.test.ts', 'npm run test:power-cut'],
  ],
  'in-between.test.ts': [[/^is rolled back each time, is remembered each time/, 'bad-updates.test.ts']],
};

/** Whether LAMADIST_SCENARIOS asks for the long run. Throws when it says what it cannot say. */
export function isLongRun(scenarios = ''): boolean {
  if (scenarios === 'all') return true;
  if (scenarios === '') return false;
  throw new Error(
    `Cannot choose scenarios: LAMADIST_SCENARIOS is "${scenarios}"; say "all" for the long run, and nothing for the short one`,
  );
}

/** Whether this is the long run. */
export const IS_LONG_RUN = isLongRun(process.env.LAMADIST_SCENARIOS);
const LONG = 'it takes minutes; LAMADIST_SCENARIOS=all runs it, too';

/** For a test of test/machine that `npm run test:vm` leaves to the long run, so as to be done within forty minutes. */
export function onlyInAll(skip: (condition: boolean, why: string) => void): void {
  skip(!IS_LONG_RUN, LONG);
}

/** Why a test is not run in the machine; undefined when it is. */
export function whyElsewhere(file: string, test: string, isLong: boolean): string | undefined {
  const elsewhere = ELSEWHERE[file] ?? [];
  if (typeof elsewhere === 'string') return elsewhere;
  const [, why] = elsewhere.find(([name]) => name.test(test)) ?? [];
  if (why) return why;
  if (isLong || CHOSEN[file]?.some((name) => name.test(test))) return undefined;
  const [, by, command] = COVERED[file]?.find(([name]) => name.test(test)) ?? [];
  if (by) return `test/machine/${by}${command ? ` (${command})` : ''} shows more of what the node does then`;
  return LONG;
}
