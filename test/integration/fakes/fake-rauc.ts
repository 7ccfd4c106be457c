// SPDX-License-Identifier: Apache-2.0
import { Variant } from 'dbus-next';
import { type Answer, FakeService, type Method } from './fake-service.ts';

const NAME = 'de.pengutronix.rauc';
const INSTALLER = 'de.pengutronix.rauc.Installer';
/** GDBus has no D-Bus name for GLib's G_IO_ERROR_FAILED_HANDLED, which is all that RAUC ever replies. */
const RAUC_ERROR = 'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code30';

export type SlotDictionary = Record<string, Variant>;

const METHODS = ['InstallBundle', 'InspectBundle', 'Mark', 'GetSlotStatus', 'GetPrimary'];

const slot = (bootname: string, device: string, state: string): SlotDictionary => ({
  class: new Variant('s', 'rootfs'),
  type: new Variant('s', 'raw'),
  bootname: new Variant('s', bootname),
  device: new Variant('s', device),
  state: new Variant('s', state),
  'boot-status': new Variant('s', 'good'),
});

/**
 * Behaves as RAUC 1.13 was seen to behave, with its texts; any method can be replaced by a worse one. An install ends when the
 * test says so.
 */
export class FakeRauc {
  /** What InstallBundle was given: location and arguments. */
  readonly installs: { readonly location: string; readonly args: Record<string, unknown> }[] = [];
  readonly marks: string[] = [];
  introspections = 0;
  /** The arguments of InstallBundle that this RAUC knows. */
  knownArguments = ['transaction-id'];
  slots: [string, SlotDictionary][] = [
    ['rootfs.1', slot('B', '/dev/vda3', 'inactive')],
    ['esp.0', { class: new Variant('s', 'esp'), device: new Variant('s', '/dev/vda1'), parent: new Variant('s', 'rootfs.0') }],
    ['rootfs.0', slot('A', '/dev/vda2', 'booted')],
  ];
  #service!: FakeService;
  #busy = false;
  #operation = 'idle';
  #lastError = '';

  static async start(address: string, replaced: Record<string, Method> = {}): Promise<FakeRauc> {
    const rauc = new FakeRauc();
    rauc.#service = await FakeService.start(address, NAME, { ...rauc.#methods(), ...replaced });
    return rauc;
  }

  replace(member: string, method: Method): void {
    this.#service.methods.set(member, method);
  }

  /** The process ends, whatever it was doing. */
  stop(): void {
    this.#service.stop();
  }

  progress(percent: number, message: string): void {
    this.change({ Progress: new Variant('(isi)', [percent, message, 1]) });
  }

  /** An install ends as RAUC ends it: LastError, Completed, and only then free for another. */
  complete(result: number, lastError = ''): void {
    this.#lastError = lastError;
    this.emitCompleted('i', [result]);
    this.#operation = 'idle';
    this.#busy = false;
    this.change({ Operation: new Variant('s', 'idle') });
  }

  emitCompleted(signature: string, body: unknown[]): void {
    this.#service.emit('/', INSTALLER, 'Completed', signature, body);
  }

  change(properties: Record<string, Variant>): void {
    this.#service.emit('/', 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', [INSTALLER, properties, []]);
  }

  /** RAUC is found at work on an install that began before. */
  pretendInstalling(operation = 'installing'): void {
    this.#busy = true;
    this.#operation = operation;
  }

  /** It is done, and says so to nobody. */
  pretendIdle(): void {
    this.#busy = false;
    this.#operation = 'idle';
  }

  #methods(): Record<string, Method> {
    const unlessBusy = (method: Method): Method => {
      return (body, message) => (this.#busy ? refuse('already processing a different method') : method(body, message));
    };
    return {
      Introspect: () => {
        this.introspections += 1;
        return { signature: 's', body: [introspection(METHODS)] };
      },
      GetAll: () => ({
        signature: 'a{sv}',
        body: [
          {
            Operation: new Variant('s', this.#operation),
            LastError: new Variant('s', this.#lastError),
            Progress: new Variant('(isi)', [0, '', 0]),
            Compatible: new Variant('s', 'lamadist-test'),
            Variant: new Variant('s', ''),
            BootSlot: new Variant('s', 'A'),
          },
        ],
      }),
      GetSlotStatus: unlessBusy(() => ({ signature: 'a(sa{sv})', body: [this.slots] })),
      GetPrimary: unlessBusy(() => ({ signature: 's', body: ['rootfs.0'] })),
      Mark: unlessBusy(([state, name]) => {
        this.marks.push(`${state} ${name}`);
        return { signature: 'ss', body: [name, `marked slot ${name} as ${state}`] };
      }),
      InspectBundle: unlessBusy(() => ({ signature: 'a{sv}', body: [bundleInfo()] })),
      InstallBundle: ([location, args]) => this.#install(String(location), args as Record<string, Variant>),
    };
  }

  #install(location: string, args: Record<string, Variant>): Answer {
    const unknown = Object.keys(args).find((key) => !this.knownArguments.includes(key));
    if (this.#busy || unknown) {
      this.#operation = 'idle';
      this.change({ Operation: new Variant('s', 'idle') });
      return refuse(this.#busy ? 'Already processing a different method' : `Unsupported key: ${unknown}`);
    }
    this.installs.push({ location, args: Object.fromEntries(Object.entries(args).map(([key, { value }]) => [key, value])) });
    this.pretendInstalling();
    this.#lastError = '';
    this.change({ Operation: new Variant('s', 'installing') });
    return { signature: '', body: [] };
  }
}

export function refuse(text: string): Answer {
  return { error: RAUC_ERROR, text };
}

export function introspection(methods: readonly string[]): string {
  return `<node><interface name="${INSTALLER}">${methods.map((name) => `<method name="${name}"></method>`).join('')}</interface></node>`;
}

/** RAUC wraps the inner dictionaries twice. */
function bundleInfo(): Record<string, Variant> {
  const update = { compatible: new Variant('s', 'lamadist-test'), version: new Variant('s', '2.1'), build: new Variant('s', '20260101') };
  const image = {
    'slot-class': new Variant('s', 'rootfs'),
    filename: new Variant('s', 'rootfs.img'),
    size: new Variant('t', 105_660_416n),
  };
  return {
    update: new Variant('v', new Variant('a{sv}', update)),
    bundle: new Variant('v', new Variant('a{sv}', { format: new Variant('s', 'verity'), 'verity-size': new Variant('t', 81920n) })),
    images: new Variant('v', new Variant('aa{sv}', [image])),
    'manifest-hash': new Variant('s', '9f13c39149543e1a'),
  };
}
