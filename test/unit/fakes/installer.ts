// SPDX-License-Identifier: Apache-2.0
import type { Bundle, Installer, InstallerEvent, InstallRequest, Slot } from '../../../agent/daemon/update/installer.ts';

/** Two slots, A booted and good, and an installer that does what it is told, in memory. */
export class FakeInstaller implements Installer {
  bundle: Bundle = {
    compatible: 'lamadist-test',
    version: '2',
    description: '',
    build: '',
    format: 'plain',
    manifestHash: 'abc',
    images: [],
  };
  slotA: Slot = { ...slot('rootfs.0', 'A'), booted: true, primary: true, version: '1' };
  slotB: Slot = { ...slot('rootfs.1', 'B'), version: '', status: '' };
  /** What was asked of it, in order. */
  readonly asked: string[] = [];
  /** Thrown by the next call of that name, once each. */
  readonly failures = new Map<keyof Installer, Error[]>();
  isInstalling = false;
  error = '';
  #request: InstallRequest | undefined;
  readonly #listeners = new Set<(event: InstallerEvent) => void>();

  async compatible() {
    return this.#answer('compatible', 'lamadist-test');
  }
  async slots() {
    return this.#answer('slots', [this.slotA, this.slotB]);
  }
  async inspect(location: string) {
    return this.#answer('inspect', this.bundle, location);
  }
  async install(request: InstallRequest) {
    this.#answer('install', undefined, request.location);
    this.#request = request;
    this.isInstalling = true;
    this.slotB = { ...this.slotB, status: 'pending' };
  }
  async installing() {
    return this.#answer('installing', this.isInstalling);
  }
  async lastError() {
    return this.#answer('lastError', this.error);
  }
  async activate(name: string) {
    this.#answer('activate', undefined, name);
    this.slotA = { ...this.slotA, primary: name === this.slotA.name };
    this.slotB = { ...this.slotB, primary: name === this.slotB.name };
  }
  async markGood(name: string) {
    this.#answer('markGood', undefined, name);
    this.#mark(name, 'good');
  }
  async markBad(name: string) {
    this.#answer('markBad', undefined, name);
    this.#mark(name, 'bad');
  }
  listen(listener: (event: InstallerEvent) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many listen: zero when nobody was left behind. */
  get listening(): number {
    return this.#listeners.size;
  }

  tell(event: InstallerEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** The install ends well, whether or not anybody listens. */
  finish(): void {
    const transactionId = this.#request?.transactionId;
    this.isInstalling = false;
    this.slotB = { ...this.slotB, status: 'ok', version: this.bundle.version, ...(transactionId && { transactionId }) };
    this.tell({ type: 'completed' });
  }

  /** The node boots the other slot. */
  bootB(): void {
    this.slotA = { ...this.slotA, booted: false };
    this.slotB = { ...this.slotB, booted: true };
  }

  #mark(name: string, bootStatus: Slot['bootStatus']): void {
    if (name === this.slotA.name) this.slotA = { ...this.slotA, bootStatus };
    if (name === this.slotB.name) this.slotB = { ...this.slotB, bootStatus };
  }

  #answer<T>(call: keyof Installer, value: T, ...about: string[]): T {
    this.asked.push([call, ...about].join(' '));
    const failure = this.failures.get(call)?.shift();
    if (failure) throw failure;
    return value;
  }
}

function slot(name: string, bootname: string): Slot {
  const device = `/dev/${bootname}`;
  const group = [{ name, slotClass: 'rootfs', device }];
  return { name, bootname, device, group, booted: false, primary: false, bootStatus: 'good', version: '', status: 'ok' };
}
