// SPDX-License-Identifier: Apache-2.0

/** What each part of a boot took; a part that a machine does not have is missing. */
export interface BootPhases {
  /** From the power button to the kernel: firmware, its measurements, and the UKI's stub. */
  readonly firmwareMs: number;
  readonly kernelMs: number;
  readonly initrdMs?: number;
  /** Until systemd has started everything. */
  readonly userspaceMs?: number;
  /** From the power button until the machine serves: the agent is ready, or the shell asks. */
  readonly readyMs: number;
}

/** The properties of systemd that phasesOf() reads, as systemctl(1) names them. */
export const MANAGER_PROPERTIES = ['InitRDTimestampMonotonic', 'UserspaceTimestampMonotonic', 'FinishTimestampMonotonic'] as const;
export const AGENT_PROPERTY = 'ActiveEnterTimestampMonotonic';

/**
 * The phases of a boot, from the output of "systemctl show" of the manager and of the agent, and from what passed before the
 * kernel's clock began. Throws when a property is missing, or when the boot has not finished.
 */
export function phasesOf(properties: string, firmwareMs: number): BootPhases {
  const values = new Map(properties.split('\n').map((line) => line.split('=', 2) as [string, string]));
  const ms = (name: string): number => {
    const micros = Number(values.get(name) ?? 0);
    if (!(micros > 0)) throw new Error(`Cannot tell how long the boot took: systemd does not say ${name}`);
    return micros / 1000;
  };
  const [initrd, userspace, finish] = MANAGER_PROPERTIES.map(ms) as [number, number, number];
  return {
    firmwareMs,
    kernelMs: initrd,
    initrdMs: userspace - initrd,
    userspaceMs: finish - userspace,
    readyMs: firmwareMs + ms(AGENT_PROPERTY),
  };
}

/** The median of each phase. */
export function medianOf(boots: readonly BootPhases[]): BootPhases {
  const of = (name: keyof BootPhases): number => median(boots.map((boot) => boot[name] ?? 0));
  const [first] = boots;
  return {
    firmwareMs: of('firmwareMs'),
    kernelMs: of('kernelMs'),
    readyMs: of('readyMs'),
    ...(first?.initrdMs !== undefined && { initrdMs: of('initrdMs') }),
    ...(first?.userspaceMs !== undefined && { userspaceMs: of('userspaceMs') }),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const ROWS: readonly (readonly [keyof BootPhases, string])[] = [
  ['firmwareMs', 'firmware'],
  ['kernelMs', 'kernel'],
  ['initrdMs', 'initrd'],
  ['userspaceMs', 'userspace'],
  ['readyMs', 'power button to agent, or shell'],
];

/** A table in seconds, and how many times as long the node takes. */
export function tableOf(node: BootPhases, bare: BootPhases): string {
  const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : (ms / 1000).toFixed(1)).padStart(8);
  const ratio = (mine: number | undefined, theirs: number | undefined): string =>
    (mine === undefined || theirs === undefined ? '' : (mine / theirs).toFixed(1)).padStart(8);
  const lines = ROWS.map(([name, title]) => `${seconds(node[name])}${seconds(bare[name])}${ratio(node[name], bare[name])}  ${title}\n`);
  return `${'node'.padStart(8)}${'bare'.padStart(8)}${'ratio'.padStart(8)}\n${lines.join('')}`;
}
