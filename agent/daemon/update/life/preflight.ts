// SPDX-License-Identifier: Apache-2.0
import type { FailureCode } from '../../../shared/failure.ts';
import type { EventOf } from './event.ts';
import type { Operation, Reason } from './state.ts';
import { compareVersions } from './version-order.ts';

type Inspected = EventOf<'inspected'>;
type Check = (operation: Operation, inspected: Inspected) => Reason | undefined;

/**
 * What speaks against an install, before RAUC is asked for it and a slot is touched. The signature was verified by then: what
 * is compared here is what the signer said.
 */
export function preflight(operation: Operation, inspected: Inspected): Reason | undefined {
  for (const check of CHECKS) {
    const reason = check(operation, inspected);
    if (reason) return reason;
  }
  return undefined;
}

const refuse = ({ bundle }: Inspected, code: FailureCode, found: string): Reason => ({
  code,
  message: `Cannot install ${bundle.version}: ${found}`,
  failedChecks: [],
});

const CHECKS: readonly Check[] = [
  (_operation, inspected) => {
    const { bundle, nodeCompatible } = inspected;
    if (bundle.compatible === nodeCompatible) return undefined;
    return refuse(inspected, 'BUNDLE_INCOMPATIBLE', `the bundle is for "${bundle.compatible}" and this node is "${nodeCompatible}"`);
  },

  ({ force }, inspected) =>
    inspected.failedHere && !force ? refuse(inspected, 'VERSION_FAILED_HERE', 'it was rolled back on this node before') : undefined,

  ({ allowDowngrade }, inspected) => {
    const { bundle, runningVersion } = inspected;
    // Versions that have no order have no downgrade either.
    const order = compareVersions(bundle.version, runningVersion);
    if (allowDowngrade || order === undefined || order >= 0) return undefined;
    return refuse(inspected, 'DOWNGRADE_REFUSED', `the node runs ${runningVersion}, which is newer`);
  },

  (_operation, inspected) => {
    const { bundle, targetSlots } = inspected;
    for (const { slotClass, sizeBytes } of bundle.images) {
      const slot = targetSlots.find((each) => each.slotClass === slotClass);
      if (slot?.sizeBytes === undefined || sizeBytes <= slot.sizeBytes) continue;
      return refuse(inspected, 'BUNDLE_TOO_LARGE', `its image has ${sizeBytes} bytes and slot "${slot.name}" holds ${slot.sizeBytes}`);
    }
    return undefined;
  },
];
