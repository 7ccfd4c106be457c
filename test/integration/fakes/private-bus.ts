// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 10_000;

const configuration = (socket: string) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

/** A real dbus-daemon with a socket of its own in a temporary folder, which can be killed and started again. */
export class PrivateBus {
  readonly address: string;
  readonly #folder: string;
  #daemon: ChildProcess | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.address = `unix:path=${join(folder, 'bus.sock')}`;
  }

  static async create(): Promise<PrivateBus> {
    const bus = new PrivateBus(await mkdtemp(join(tmpdir(), 'lamadist-bus-')));
    await writeFile(join(bus.#folder, 'bus.conf'), configuration(join(bus.#folder, 'bus.sock')));
    await bus.start();
    return bus;
  }

  async start(): Promise<void> {
    const daemon = spawn(
      'dbus-daemon',
      [`--config-file=${join(this.#folder, 'bus.conf')}`, '--nofork', '--nopidfile', '--print-address=1'],
      {
        // Its words are noise: as root it complains of limits that it may not raise.
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    this.#daemon = daemon;
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    await Promise.race([
      once(daemon.stdout, 'data', { signal }),
      once(daemon, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`dbus-daemon ended with ${code}`))),
      once(daemon, 'error', { signal }).then(([error]) => Promise.reject(error)),
    ]);
  }

  /** Ends the daemon without warning, as a crash would. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (!daemon || daemon.exitCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await ended;
    await rm(join(this.#folder, 'bus.sock'), { force: true });
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Makes the daemon deaf: it keeps its connections but neither answers nor reads. */
  freeze(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#daemon?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    this.thaw();
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
