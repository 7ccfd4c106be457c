// SPDX-License-Identifier: Apache-2.0

/** The hardware, as far as it can be seen. A text that is empty and a number that is null are unknown. */
export interface Inventory {
  readonly collectedAt: Date;
  readonly system: Product;
  readonly board: Product;
  readonly firmware: { readonly vendor: string; readonly version: string; readonly released: string };
  readonly processor: { readonly vendor: string; readonly model: string; readonly cores: number | null; readonly threads: number | null };
  readonly memoryBytes: number | null;
  readonly disks: readonly Disk[];
  readonly networkInterfaces: readonly NetworkInterface[];
  /** What could not be found out, each with the reason. */
  readonly problems: readonly string[];
}

interface Product {
  readonly vendor: string;
  readonly name: string;
  readonly version: string;
  readonly serial: string;
}

interface Disk {
  readonly name: string;
  readonly vendor: string;
  readonly model: string;
  readonly serial: string;
  readonly type: string;
  readonly sizeBytes: number | null;
}

interface NetworkInterface {
  readonly name: string;
  readonly macAddress: string;
  readonly addresses: readonly string[];
  readonly state: string;
  readonly megabitsPerSecond: number | null;
  readonly virtual: boolean;
}

/** What was found first, or what is found now. Fails with DEADLINE_EXCEEDED or INTERNAL. */
export type ReadInventory = (refresh: boolean, signal: AbortSignal) => Promise<Inventory>;
