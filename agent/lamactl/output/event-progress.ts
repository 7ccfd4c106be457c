// SPDX-License-Identifier: Apache-2.0
import type { FollowEvent } from '../fleet/follow.ts';
import type { Output } from '../world.ts';
import { type DocumentFormat, failureDocument, renderEvent } from './document.ts';
import type { ProgressView } from './progress.ts';

/** For a program: one document for each event, written in the order in which they happened. */
export class EventProgress implements ProgressView {
  readonly #stdout: Output;
  readonly #format: DocumentFormat;
  #written: Promise<void> = Promise.resolve();

  constructor(stdout: Output, format: DocumentFormat) {
    this.#stdout = stdout;
    this.#format = format;
  }

  started(node: string, operationId: string): void {
    this.#write({ node, type: 'started', operationId });
  }

  event(node: string, event: FollowEvent): void {
    const { type } = event;
    this.#write('failure' in event ? { node, type, error: failureDocument(event.failure) } : { node, ...event });
  }

  close(): Promise<void> {
    return this.#written;
  }

  #write(document: object): void {
    this.#written = this.#written.then(async () => this.#stdout.write(await renderEvent(this.#format, document)));
  }
}
