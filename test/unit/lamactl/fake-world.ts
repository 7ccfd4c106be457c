// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../../agent/lamactl/fleet/ask.ts';
import { QUESTIONS } from '../../../agent/lamactl/fleet/poll/questions.ts';
import { lamactl } from '../../../agent/lamactl/program.ts';
import type { Clock, Output, World } from '../../../agent/lamactl/world.ts';
import { Failure } from '../../../agent/shared/failure.ts';
import { Certificates } from './certificates.ts';
import type { FakeNode } from './fake-node.ts';

class FakeOutput implements Output {
  text = '';
  isTerminal = false;
  columns = 120;
  rows = 40;

  write(text: string): void {
    this.text += text;
  }
}

/** Time that passes only when everyone waits for it: then the next sleeper wakes at once. */
export class FakeClock implements Clock {
  #nowMs = Date.parse('2026-11-20T12:00:00.000Z');
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  readonly ticks = new Set<() => void>();

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { atMs: this.#nowMs + ms, wake };
      this.#sleepers.add(sleeper);
      if (signal?.aborted) wake();
      else signal?.addEventListener('abort', wake);
      setImmediate(() => this.#wakeNext());
    });
  }

  every(_ms: number, run: () => void): () => void {
    this.ticks.add(run);
    return () => this.ticks.delete(run);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  #wakeNext(): void {
    const [next] = [...this.#sleepers].sort((a, b) => a.atMs - b.atMs);
    if (!next) return;
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.wake();
  }
}

/** A world in memory, but for a context file with real certificates. */
export class FakeWorld implements World {
  readonly stdout = new FakeOutput();
  readonly stderr = new FakeOutput();
  readonly clock = new FakeClock();
  readonly env: Record<string, string | undefined>;
  readonly homeDirectory: string;
  readonly #nodes: Readonly<Record<string, FakeNode>>;
  readonly #interrupts = new Set<() => void>();

  constructor(nodes: Readonly<Record<string, FakeNode>>, certificates: Certificates, labels: Readonly<Record<string, object>> = {}) {
    this.#nodes = nodes;
    this.homeDirectory = certificates.folder;
    const file = join(certificates.folder, 'config.yaml');
    const entries = Object.keys(nodes).map((name, index) => {
      return `      ${name}: { address: 10.0.0.${index + 5}, labels: ${JSON.stringify(labels[name] ?? {})} }\n`;
    });
    writeFileSync(
      file,
      `contexts:\n  home:\n    ca: ca.pem\n    certificate: admin.pem\n    key: admin.key\n    nodes:\n${entries.join('')}`,
    );
    this.env = { LAMACTL_CONFIG: file };
  }

  random = (sizeBytes: number): Buffer => randomBytes(sizeBytes);

  connect: World['connect'] = async (target, options) => this.#nodes[target.name]!.connect(target, options);

  poll: World['poll'] = async (name, targets, timeoutMs, onAnswer) => {
    const answers = await ask(targets, this.connect, { timeoutMs }, (node) => QUESTIONS[name](node));
    for (const answer of answers) onAnswer(answer);
    return answers;
  };

  /** What the person at the terminal says, one after the other; nobody is there when nothing is left. */
  readonly said: string[] = [];
  readonly questions: string[] = [];

  async ask(question: string): Promise<string | undefined> {
    this.questions.push(question);
    return this.said.shift();
  }

  meet: World['meet'] = async (address) => {
    throw new Failure('NODE_UNREACHABLE', `Cannot reach ${address}: nothing listens there`);
  };

  connectUnclaimed: World['connectUnclaimed'] = async () => {
    throw new Failure('INTERNAL', 'Cannot connect: the test has no unclaimed node');
  };

  onInterrupt(listener: () => void): () => void {
    this.#interrupts.add(listener);
    return () => this.#interrupts.delete(listener);
  }

  /** Ctrl-C. */
  interrupt(): void {
    for (const listener of this.#interrupts) listener();
  }

  /** Runs a command line, words separated by spaces or one by one, and returns the exit code. */
  run(line: string | readonly string[]): Promise<number> {
    return lamactl(typeof line === 'string' ? line.split(' ') : line, this);
  }

  /** What was printed as one JSON document. */
  json<Document>(): Document {
    return JSON.parse(this.stdout.text) as Document;
  }

  /** What was printed as lines of JSON. */
  events(): readonly Record<string, unknown>[] {
    return this.stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** Certificates for the worlds of one test file. */
export function worldCertificates(): Certificates {
  const certificates = new Certificates();
  certificates.authority('ca');
  certificates.leaf('admin', 'ca');
  return certificates;
}
