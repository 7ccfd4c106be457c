// SPDX-License-Identifier: Apache-2.0
import type { Target } from '../../../../agent/lamactl/node/node.ts';
import type { Device } from '../../../../agent/lamactl/node/node-device.ts';
import type { InstallRequest, Update } from '../../../../agent/lamactl/node/node-update.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { DEVICE, HEALTH, updateIn } from '../answers.ts';
import { FakeNode } from '../fake-node.ts';

type SlotName = 'rootfs.0' | 'rootfs.1';

export const targetOf = (name: string, labels: Record<string, string> = {}): Target => ({
  name,
  address: `${name}:7443`,
  tlsName: name,
  labels,
  identity: { ca: Buffer.of(), certificate: Buffer.of(), key: Buffer.of() },
});

/** A node with two slots, which carries out an update the moment that it is asked to, and knows what it was asked for. */
export class SlotNode extends FakeNode {
  readonly versions: Record<SlotName, string> = { 'rootfs.0': '1', 'rootfs.1': '' };
  booted: SlotName = 'rootfs.0';
  isWell = true;
  /** What each reboot was for. */
  readonly rebootsOf: unknown[] = [];
  /** An answer that is lost on its way. */
  losesAnswer = false;
  readonly known = new Map<string, Update>();

  constructor(readonly bundleVersion = '2') {
    super();
    this.last = undefined;
    this.answers = {
      device: async () => this.device(),
      health: async () => ({ ...HEALTH, verdict: this.isWell ? 'passed' : 'failed' }),
      update: async (id) => (id === '' ? this.last : this.find(id)),
      install: async (request) => this.install(request),
      reboot: async (only) => {
        if (this.last?.phase !== 'pending-reboot') throw new Failure('REBOOT_REFUSED', 'Cannot reboot');
        this.rebootsOf.push(only);
        this.commit();
        if (this.losesAnswer) throw new Failure('NODE_UNREACHABLE', 'Cannot reach attic: the connection broke');
        return 'boot-2';
      },
      rollBack: async () => {
        if (this.last?.phase === 'committed') this.booted = this.other();
        const reason = { code: 'REQUESTED', message: 'An administrator asked for it', failedChecks: [], remedy: '' };
        this.keep({ ...this.last!, phase: 'rolled-back', reason });
        return this.last!.operationId;
      },
      cancel: async () => {
        if (this.last?.phase === 'pending-reboot') throw new Failure('POINT_OF_NO_RETURN', 'Cannot cancel: the slot is activated already');
        this.keep({ ...this.last!, phase: 'failed' });
        return this.last!.operationId;
      },
      watch: () => this.watchLast(),
    };
  }

  install(request: InstallRequest): string {
    this.installs.push(request);
    const { operationId = '', rebootPolicy } = request;
    const [sourceSlot, targetSlot] = [this.booted, this.other()];
    this.versions[targetSlot] = this.bundleVersion;
    const bundle = { ...updateIn('idle').bundle!, version: this.bundleVersion };
    this.keep(updateIn('pending-reboot', { operationId, bundle, sourceSlot, targetSlot, rebootPolicy }));
    if (rebootPolicy === 'automatic') this.commit();
    return operationId;
  }

  commit(): void {
    this.booted = this.other();
    this.keep({ ...this.last!, phase: 'committed' });
  }

  async *watchLast() {
    const update = this.last!;
    const hasEnded = update.phase === 'committed' || update.phase === 'rolled-back' || update.phase === 'failed';
    yield { cursor: '1', type: hasEnded ? ('result' as const) : ('progress' as const), update };
  }

  keep(update: Update): void {
    this.last = update;
    this.known.set(update.operationId, update);
  }

  find(id: string): Update {
    const update = this.known.get(id);
    if (!update) throw new Failure('UPDATE_NOT_FOUND', 'Cannot find the update');
    return update;
  }

  device(): Device {
    const slots = DEVICE.slots.map((slot) => ({ ...slot, booted: slot.name === this.booted }));
    return { ...DEVICE, slots, imageVersion: this.versions[this.booted] };
  }

  private other(): SlotName {
    return this.booted === 'rootfs.0' ? 'rootfs.1' : 'rootfs.0';
  }
}
