// SPDX-License-Identifier: Apache-2.0

/** A bundle that lies elsewhere: behind a URL, or on the administrator's disk. */
export interface BundleReader {
  readonly sizeBytes: number;
  /** Changes when the content does: what was read under another one must not be joined to it. Empty where the source cannot tell. */
  readonly validator: string;
  /**
   * The content from an offset, in pieces as they come, to `length` bytes further or to the end. Fails with DOWNLOAD_FAILED when the
   * source breaks off, which may be worth another try, and with another code when it is not.
   */
  read(offset: number, length: number, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** Looks for the bundle: whether it is there, how large it is. A reader is good until its source breaks off. */
export type OpenBundle = (signal: AbortSignal) => Promise<BundleReader>;
