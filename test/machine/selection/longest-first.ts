// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By how long they take. */
const LONGEST = [
  ...['bad-updates', 'boot-faults', 'addon', 'attestation', 'streaming', 'encrypted-root', 'encrypted-bundle'],
  ...['update', 'tampering', 'joining'],
];

function rank({ moduleId }: TestSpecification): number {
  const index = LONGEST.indexOf(path.basename(moduleId, '.test.ts'));
  return index < 0 ? LONGEST.length : index;
}

/** Begins with the files that take longest, so that both machines are busy to the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
