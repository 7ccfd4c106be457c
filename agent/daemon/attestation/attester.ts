// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { NONCE_BYTES, type QuotedSession, qualifyingData } from '../../shared/qualifying-data.ts';
import type { Clock } from '../timing/clock.ts';
import { OneAtATime } from '../timing/one-at-a-time.ts';
import { within } from '../timing/within.ts';
import type { Credential, MeasurementLogs, PcrBank, ReadMeasurementLogs, Tpm, TpmIdentity, TpmQuote } from './tpm.ts';

export interface Evidence {
  readonly quote: TpmQuote;
  readonly logs: MeasurementLogs;
}

/** A TPM in a slow chip takes a second for a quote; making keys takes some RSA chips half a minute. */
const USE_TIMEOUT_MS = 60_000;
/** Each of them may wait for those before it. */
const WAITING_LIMIT = 4;

/** Lets the TPM answer for the node: one question at a time, the others in a queue that has an end. */
export class Attester {
  readonly #queue = new OneAtATime();
  #waiting = 0;

  constructor(
    private readonly tpm: Tpm,
    private readonly readLogs: ReadMeasurementLogs,
    private readonly clock: Clock,
  ) {}

  identity(signal: AbortSignal): Promise<TpmIdentity> {
    return this.#use('read the keys of the TPM', signal, (inner) => this.tpm.identity(inner));
  }

  activate(credential: Credential, signal: AbortSignal): Promise<Buffer> {
    return this.#use('activate the credential', signal, (inner) => this.tpm.activate(credential, inner));
  }

  /** The logs are read after the quote, so that they hold all that was quoted: IMA's goes on meanwhile. */
  evidence(bank: PcrBank, session: QuotedSession, signal: AbortSignal): Promise<Evidence> {
    if (session.nonce.length !== NONCE_BYTES) {
      throw new Failure('INVALID_REQUEST', `Cannot quote: the nonce has ${session.nonce.length} bytes, and not ${NONCE_BYTES}`);
    }
    return this.#use('quote', signal, async (inner) => {
      // A quote by another key than the one at the handle would prove nothing; identity() compares.
      await this.tpm.identity(inner);
      const quote = await this.tpm.quote(bank, qualifyingData(session), inner);
      return { quote, logs: await this.readLogs() };
    });
  }

  async #use<T>(what: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#waiting > WAITING_LIMIT) throw new Failure('TPM_UNAVAILABLE', `Cannot ${what}: ${WAITING_LIMIT} others wait for the TPM`);
    const late = () => new Failure('DEADLINE_EXCEEDED', `Cannot ${what}: the time for it was over`);
    this.#waiting++;
    try {
      return await this.#queue.run(
        () => within(this.clock, USE_TIMEOUT_MS, signal, work, () => Promise.reject(late()) as never),
        signal,
        late,
      );
    } finally {
      this.#waiting--;
    }
  }
}
