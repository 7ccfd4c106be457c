// SPDX-License-Identifier: Apache-2.0
import { CHAIN_START, checkAuditChain } from '../../../agent/shared/audit-chain.ts';

/** The number of the first line that does not follow, in a log of which nothing was put aside; undefined when all do. */
export async function firstBrokenLine(log: string): Promise<number | undefined> {
  const { follows, breaks } = await checkAuditChain(log.split('\n'));
  return follows === CHAIN_START ? breaks[0]?.line : 1;
}
