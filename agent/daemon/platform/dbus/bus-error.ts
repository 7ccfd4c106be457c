// SPDX-License-Identifier: Apache-2.0

/** A D-Bus error reply: the bus works, and the service, or the bus on its behalf, said no. Adapters translate it. */
export class BusError extends Error {
  override readonly name = 'BusError';

  constructor(
    /** The error's name, for example org.freedesktop.DBus.Error.ServiceUnknown. */
    readonly errorName: string,
    /** What the service said in words; empty when it said nothing. */
    readonly text: string,
  ) {
    super(text === '' ? errorName : `${text} (${errorName})`);
  }
}
