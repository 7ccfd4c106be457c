// SPDX-License-Identifier: Apache-2.0
import protobuf from 'protobufjs/minimal.js';

// The runtime of the generated messages. It would make objects of 64-bit integers as soon as the package `long` is found,
// which depends on who bundles it; seconds since the epoch are numbers, always.
protobuf.util.Long = null as never;
protobuf.configure();

export { Reader, roots, util, Writer } from 'protobufjs/minimal.js';
export default protobuf;
