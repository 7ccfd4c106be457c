// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, type Registry } from 'prom-client';
import type { FileSystem } from '../node/disk-usage.ts';
import { CPU_MODES, type HostReadings, type ReadHost, SUBJECTS, type Subject } from '../node/host-readings.ts';

export interface HostMetricsParts {
  readonly readHost: ReadHost;
  readonly fileSystems: (signal: AbortSignal) => Promise<readonly FileSystem[]>;
  readonly clockSynchronised: (signal: AbortSignal) => Promise<boolean>;
}

type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>];

/** One metric: how its samples come out of what was read. */
interface Shown<Read> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly samples: (read: Read) => readonly Sample[];
}

type Shows = { readonly [S in Subject]: readonly Shown<HostReadings[S]>[] };

const perDisk = (name: string, help: string, value: (disk: HostReadings['disks'][number]) => number) => ({
  name: `lamadist_node_disk_${name}`,
  help,
  labels: ['device'],
  samples: (disks: HostReadings['disks']) => disks.map((disk): Sample => [value(disk), { device: disk.device }]),
});

const perInterface = (name: string, help: string, value: (one: HostReadings['network'][number]) => number) => ({
  name: `lamadist_node_network_${name}`,
  help,
  labels: ['interface'],
  samples: (all: HostReadings['network']) => all.map((one): Sample => [value(one), { interface: one.name }]),
});

/** A name that ends in `_total` is a counter's, any other a gauge's. */
const SHOWN: Shows = {
  cpu: [
    {
      name: 'lamadist_node_cpu_seconds_total',
      help: 'Time that each core spent in each mode.',
      labels: ['cpu', 'mode'],
      samples: ({ cores }) => cores.flatMap(({ cpu, seconds }) => CPU_MODES.map((mode): Sample => [seconds[mode], { cpu, mode }])),
    },
    {
      name: 'lamadist_node_boot_timestamp_seconds',
      help: 'When the kernel started, in seconds since the epoch.',
      samples: (cpu) => [[cpu.bootedAtSeconds]],
    },
    { name: 'lamadist_node_context_switches_total', help: 'Context switches.', samples: (cpu) => [[cpu.contextSwitches]] },
    { name: 'lamadist_node_forks_total', help: 'Processes and threads that were started.', samples: (cpu) => [[cpu.forks]] },
    {
      name: 'lamadist_node_processes',
      help: 'Processes that run, or wait for a disk.',
      labels: ['state'],
      samples: ({ running, blocked }) => [
        [running, { state: 'running' }],
        [blocked, { state: 'blocked' }],
      ],
    },
  ],
  memory: [
    {
      name: 'lamadist_node_memory_bytes',
      help: 'Memory and swap by kind, as /proc/meminfo counts it.',
      labels: ['kind'],
      samples: (memory) => Object.entries(memory).map(([kind, bytes]): Sample => [bytes, { kind }]),
    },
  ],
  load: [
    {
      name: 'lamadist_node_load_average',
      help: 'Average number of processes that run or wait for a disk.',
      labels: ['minutes'],
      samples: ([one, five, fifteen]) => [
        [one, { minutes: '1' }],
        [five, { minutes: '5' }],
        [fifteen, { minutes: '15' }],
      ],
    },
  ],
  disks: [
    perDisk('reads_total', 'Reads that were completed.', ({ reads }) => reads),
    perDisk('read_bytes_total', 'Bytes read.', ({ readBytes }) => readBytes),
    perDisk('read_seconds_total', 'Time that all reads took.', ({ readSeconds }) => readSeconds),
    perDisk('writes_total', 'Writes that were completed.', ({ writes }) => writes),
    perDisk('written_bytes_total', 'Bytes written.', ({ writtenBytes }) => writtenBytes),
    perDisk('write_seconds_total', 'Time that all writes took.', ({ writeSeconds }) => writeSeconds),
    perDisk('busy_seconds_total', 'Time in which a request was under way.', ({ busySeconds }) => busySeconds),
    perDisk('queued_seconds_total', 'The same, times the requests that were under way.', ({ queuedSeconds }) => queuedSeconds),
  ],
  network: [
    perInterface('up', 'Whether the interface carries traffic (1) or not (0).', ({ up }) => (up ? 1 : 0)),
    perInterface('receive_bytes_total', 'Bytes received.', ({ received }) => received.bytes),
    perInterface('receive_packets_total', 'Packets received.', ({ received }) => received.packets),
    perInterface('receive_errors_total', 'Packets received with an error.', ({ received }) => received.errors),
    perInterface('receive_drops_total', 'Packets received and dropped.', ({ received }) => received.drops),
    perInterface('transmit_bytes_total', 'Bytes sent.', ({ transmitted }) => transmitted.bytes),
    perInterface('transmit_packets_total', 'Packets sent.', ({ transmitted }) => transmitted.packets),
    perInterface('transmit_errors_total', 'Packets that could not be sent.', ({ transmitted }) => transmitted.errors),
    perInterface('transmit_drops_total', 'Packets dropped before they were sent.', ({ transmitted }) => transmitted.drops),
  ],
  pressure: [
    {
      name: 'lamadist_node_pressure_some_seconds_total',
      help: 'Time in which some work waited for the resource.',
      labels: ['resource'],
      samples: (all) => all.map(({ resource, someSeconds }): Sample => [someSeconds, { resource }]),
    },
    {
      name: 'lamadist_node_pressure_full_seconds_total',
      help: 'Time in which all work waited for the resource.',
      labels: ['resource'],
      samples: (all) => all.map(({ resource, allSeconds }): Sample => [allSeconds, { resource }]),
    },
  ],
  temperature: [
    {
      name: 'lamadist_node_temperature_celsius',
      help: 'What a sensor of the board, a processor or a disk says.',
      labels: ['chip', 'sensor'],
      samples: (all) => all.map(({ chip, sensor, celsius }): Sample => [celsius, { chip, sensor }]),
    },
  ],
  paging: [
    {
      name: 'lamadist_node_major_page_faults_total',
      help: 'Pages that had to be read from a disk.',
      samples: (paging) => [[paging.majorFaults]],
    },
    {
      name: 'lamadist_node_out_of_memory_kills_total',
      help: 'Processes that the kernel ended for want of memory.',
      samples: (paging) => [[paging.outOfMemoryKills]],
    },
  ],
  files: [
    { name: 'lamadist_node_open_files', help: 'Open files.', samples: ({ open }) => [[open]] },
    { name: 'lamadist_node_open_files_limit', help: 'Files that may be open.', samples: ({ maximum }) => [[maximum]] },
  ],
};

const onFileSystem = (name: string, help: string, value: (one: FileSystem) => number | undefined): Shown<readonly FileSystem[]> => ({
  name: `lamadist_node_filesystem_${name}`,
  help,
  labels: ['device', 'mountpoint', 'type'],
  samples: (all) =>
    all.flatMap((one) => {
      const shown = value(one);
      return shown === undefined ? [] : [[shown, { device: one.device, mountpoint: one.mountPoint, type: one.type }] as const];
    }),
});

const ON_FILE_SYSTEMS = [
  onFileSystem('size_bytes', 'Size of the file system.', ({ capacity }) => capacity?.sizeBytes),
  onFileSystem('used_bytes', 'What is used of it.', ({ capacity }) => capacity?.usedBytes),
  onFileSystem('available_bytes', 'What it has left for ordinary users.', ({ capacity }) => capacity?.availableBytes),
  onFileSystem('inodes', 'Files that it can hold.', ({ capacity }) => capacity?.inodes),
  onFileSystem('free_inodes', 'Files that it can hold beside those of now.', ({ capacity }) => capacity?.freeInodes),
  onFileSystem('readonly', 'Whether it is read-only (1) or not (0).', ({ readOnly }) => (readOnly ? 1 : 0)),
];

/** A scrape does not wait longer than this for a file system or a service. */
const DEADLINE_MS = 3_000;

/** What an operator would run node_exporter for, read anew with each scrape. What this kernel does not tell is left out, and said. */
export function hostMetrics(registry: Registry, { readHost, fileSystems, clockSynchronised }: HostMetricsParts): void {
  const readable = new Gauge({
    name: 'lamadist_node_subject_readable',
    help: 'Whether the node could be asked about a subject (1) or not (0).',
    labelNames: ['subject'] as const,
    registers: [registry],
    collect: () => look(),
  });
  /** A scrape asks every metric at once; one look at the node serves them all. */
  let underWay: Promise<unknown> | undefined;
  const look = async (): Promise<void> => {
    underWay ??= Promise.all(looks.map((each) => each())).finally(() => {
      underWay = undefined;
    });
    await underWay;
  };
  const looks = [
    ...SUBJECTS.map((subject) => subjectOf(subject)),
    looking('filesystems', ON_FILE_SYSTEMS, () => fileSystems(AbortSignal.timeout(DEADLINE_MS))),
    looking('clock', CLOCK, async () => [Date.now() / 1000, await clockSynchronised(AbortSignal.timeout(DEADLINE_MS))] as const),
  ];

  function subjectOf<S extends Subject>(subject: S): () => Promise<void> {
    return looking<HostReadings[S]>(subject, SHOWN[subject], readHost[subject]);
  }

  /** A look at one subject, which sets its metrics or, when it fails, empties them. */
  function looking<Read>(subject: string, shown: readonly Shown<Read>[], read: () => Promise<Read>): () => Promise<void> {
    const metrics = shown.map(({ samples, name, help, labels = [] }) => {
      const options = { name, help, labelNames: [...labels], registers: [registry], collect: () => look() };
      return { samples, metric: name.endsWith('_total') ? new Counter(options) : new Gauge(options) };
    });
    return async () => {
      const found = await read().catch(() => undefined);
      for (const { metric } of metrics) {
        metric.reset();
        // Without labels it would say 0, and not that it does not know.
        metric.remove({});
      }
      readable.set({ subject }, found === undefined ? 0 : 1);
      if (found === undefined) return;
      for (const { metric, samples } of metrics) for (const [value, labels = {}] of samples(found)) metric.inc(labels, value);
    };
  }
}

const CLOCK: readonly Shown<readonly [now: number, synchronised: boolean]>[] = [
  {
    name: 'lamadist_node_clock_timestamp_seconds',
    help: "The node's time of day, in seconds since the epoch.",
    samples: ([now]) => [[now]],
  },
  {
    name: 'lamadist_node_clock_synchronised',
    help: 'Whether the clock was set from a server of the time (1) or not (0).',
    samples: ([, synchronised]) => [[synchronised ? 1 : 0]],
  },
];
