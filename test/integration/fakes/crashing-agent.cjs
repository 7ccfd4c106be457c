// SPDX-License-Identifier: Apache-2.0
// An agent that fails as soon as it starts.
process.exit(70);
