// SPDX-License-Identifier: Apache-2.0

/** The code by which a machine is made and started: whoever keeps one's state for later keeps it with the id of these. */
export const STARTED_WITH = [
  'qemu/vm/architecture.ts',
  ...['qemu-command.ts', 'factory.ts', 'suspended', 'tester'].map((name) => `qemu/vm/machine/${name}`),
] as const;
