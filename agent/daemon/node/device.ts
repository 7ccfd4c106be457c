// SPDX-License-Identifier: Apache-2.0

/** What stays the same for a whole boot. */
export interface HostFacts {
  readonly hostname: string;
  readonly machineId: string;
  readonly bootedAt: Date;
  /** IMAGE_ID and IMAGE_VERSION of os-release(5). */
  readonly imageId: string;
  readonly imageVersion: string;
  readonly kernelRelease: string;
  readonly architecture: string;
}
