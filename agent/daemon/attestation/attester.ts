// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { NONCE_BYTES, type QuotedSession, qualifyingData } from '../../shared/qualifying-data.ts';
import type { Clock } from '../timing/clock.ts';
import { OneAtATime } from '../timing/one-at-a-time.ts';
import { within } from '../timing/within.ts';
import { Places } from './places.ts';
import type { Credential, MeasurementLogs, PcrBank, ReadMeasurementLogs, Tpm, TpmIdentity, TpmQuote } from './tpm.ts';

export interface Evidence {
  readonly quote: TpmQuote;
  readonly logs: MeasurementLogs;
}

export type Question = 'identity' | 'activation' | 'quote';

/** Who asks, such as the hash of a certificate, and until when the answer is waited for. */
export interface Asking {
  readonly asker: string;
  readonly signal: AbortSignal;
}

/** What became of one question to the TPM; the time is that of the TPM alone, not of the queue before it. */
export interface Answered {
  readonly question: Question;
  readonly durationMs: number;
  /** None when the TPM answered. */
  readonly failure?: Failure;
}

/** A TPM in a slow chip takes a second for a quote; making keys takes some RSA chips half a minute. */
const USE_TIMEOUT_MS = 60_000;

const DOING = { identity: 'read the keys of the TPM', activation: 'activate the credential', quote: 'quote' } as const;

/** Lets the TPM answer for the node: one question at a time, the others in a queue that has an end. */
export class Attester {
  readonly #queue = new OneAtATime();
  readonly #places = new Places();
  #listener: (answered: Answered) => void = () => {};

  constructor(
    private readonly tpm: Tpm,
    private readonly readLogs: ReadMeasurementLogs,
    private readonly clock: Clock,
  ) {}

  /** Hears of every question that the TPM was asked. There is one listener. */
  listen(listener: (answered: Answered) => void): void {
    this.#listener = listener;
  }

  identity(asking: Asking): Promise<TpmIdentity> {
    return this.#ask('identity', asking, (inner) => this.tpm.identity(inner));
  }

  activate(credential: Credential, asking: Asking): Promise<Buffer> {
    return this.#ask('activation', asking, (inner) => this.tpm.activate(credential, inner));
  }

  /** The logs are read after the quote, so that they hold all that was quoted: IMA's goes on meanwhile. */
  async evidence(bank: PcrBank, session: QuotedSession, asking: Asking): Promise<Evidence> {
    if (session.nonce.length !== NONCE_BYTES) {
      throw new Failure('INVALID_REQUEST', `Cannot quote: the nonce has ${session.nonce.length} bytes, and not ${NONCE_BYTES}`);
    }
    const quote = await this.#ask('quote', asking, (inner) => this.tpm.quote(bank, qualifyingData(session), inner));
    return { quote, logs: await this.readLogs() };
  }

  async #ask<T>(question: Question, { asker, signal }: Asking, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const what = DOING[question];
    const late = () => new Failure('DEADLINE_EXCEEDED', `Cannot ${what}: the time for it was over`);
    const limited = () =>
      within(this.clock, USE_TIMEOUT_MS, signal, work, (): T => {
        if (signal.aborted) throw late();
        throw new Failure('TPM_UNAVAILABLE', `Cannot ${what}: the TPM did not answer within ${USE_TIMEOUT_MS / 1000} s`);
      });
    const leave = this.#places.take(asker, what);
    try {
      return await this.#queue.run(() => this.#measured(question, limited, signal), signal, late);
    } finally {
      leave();
    }
  }

  async #measured<T>(question: Question, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const startMs = this.clock.monotonicMs();
    const told = (failure?: Failure) => {
      this.#listener({ question, durationMs: this.clock.monotonicMs() - startMs, ...(failure && { failure }) });
    };
    try {
      const answer = await work();
      told();
      return answer;
    } catch (thrown) {
      const failure = Failure.from(thrown);
      // That nobody waited any longer says nothing of the TPM.
      if (!signal.aborted) told(failure);
      throw thrown;
    }
  }
}
