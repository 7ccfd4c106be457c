// SPDX-License-Identifier: Apache-2.0

/** One boot of a machine. */
export interface Boot {
  /** Counted from 1 over the life of the machine object. */
  readonly number: number;
  readonly bootId: string;
  /** The slot that the boot loader chose: A or B. */
  readonly bootname: string;
  /** IMAGE_VERSION of the booted image's os-release. */
  readonly imageVersion: string;
}

export interface ShellResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellOptions {
  readonly timeoutMs: number;
  /** root unless it says otherwise. */
  readonly user?: string;
  readonly input?: string | Uint8Array;
}

export interface FileOptions {
  /** 0o644 unless it says otherwise. */
  readonly mode?: number;
  /** root unless it says otherwise. */
  readonly owner?: string;
}

/**
 * A whole node with a slot A, a slot B and a data file system, seen from outside: by whoever holds its plug. Reboots and
 * what the boot loader decides happen by themselves, as on a machine in a cellar.
 */
export interface Machine {
  readonly name: string;
  /** Where the agent listens when it runs: host and port. */
  readonly host: string;
  readonly port: number;

  /** Switches it on. Returns when it runs its first instructions; see waitForBoot. */
  start(): Promise<void>;

  /**
   * Waits until a boot has reached multi-user.target: the one under way, or one after the boot in `after` (so: reboot, then
   * wait for the boot after the one that you saw). Throws at the deadline, and at once when the machine went off.
   */
  waitForBoot(options: { readonly timeoutMs: number; readonly after?: Boot }): Promise<Boot>;

  /** Runs a command line in the node's shell, to its end. A command that fails is a result; one that does not end throws. */
  shell(command: string, options: ShellOptions): Promise<ShellResult>;

  /** Writes a file of the node, whole or not at all. */
  writeFile(path: string, content: string | Uint8Array, options?: FileOptions): Promise<void>;

  readFile(path: string): Promise<string>;

  /** Brings a large file, such as a bundle, into the node. Returns its path there, readable by everyone until the next boot. */
  deliver(hostPath: string): Promise<string>;

  /** Pulls the plug: what the node had not made durable is lost. start() switches it on again. */
  cutPower(): Promise<void>;

  /** Waits until the machine has switched itself off (systemctl poweroff). Throws at the deadline. */
  waitForPowerOff(options: { readonly timeoutMs: number }): Promise<void>;

  /** What it wrote to its console, over all boots, with a line of ours before each. */
  consoleLog(): Promise<string>;

  /** Files on this machine that grow with its logs, by name. */
  readonly logFiles: Readonly<Record<string, string>>;

  /** All that it leaves to read, by name: its console, and the journals of its boots as far as they got out. */
  logs(): Promise<Readonly<Record<string, string>>>;

  /** Switches it off at once and takes away everything that it left on this machine. */
  stop(): Promise<void>;
}

/**
 * What RAUC asks of the boot loader: `get-primary`, `set-primary`, `get-state`, `set-state` or `get-current`, narrowed as
 * far as one likes: `set-primary.B`, `set-state.A.good`.
 */
export type BootLoaderCommand = string;

/**
 * Stops the world inside an update. RAUC reaches the boot loader through a script, which waits for as long as a hold stands: for
 * two minutes at most in namespaces, and for five in a virtual machine:
 *
 *     await machine.hold('set-primary.B');       // then start an install or an activation
 *     await machine.waitUntilHeld('set-primary.B', { timeoutMs });
 *     await machine.cutPower();                  // in exactly that phase
 *     await machine.release('set-primary.B');
 */
export interface HoldsBootLoader {
  hold(command: BootLoaderCommand): Promise<void>;
  release(command: BootLoaderCommand): Promise<void>;
  waitUntilHeld(command: BootLoaderCommand, options: { readonly timeoutMs: number }): Promise<void>;
}
