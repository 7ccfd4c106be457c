// SPDX-License-Identifier: Apache-2.0
// The house's rules about who may know whom, each with its reason. Held by test/architecture/imports.test.ts.

const SUBJECTS = 'update|delivery|health|attestation|node|access|rollout';

const forbidden = (name, comment, from, to) => ({ name, comment, severity: 'error', from: { path: from }, to });

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    forbidden(
      'subjects-know-no-edge-and-no-neighbour',
      'A subject decides; who carries it out, and who asked, is told to it through ports.',
      `^agent/daemon/(${SUBJECTS})/`,
      { path: '^agent/daemon/(platform|rpc|metrics|main|compose|config)' },
    ),
    forbidden(
      'subjects-meet-in-types-and-ports',
      'What one subject needs of another is a type or a port, so that each can be read alone.',
      `^agent/daemon/(${SUBJECTS})/`,
      {
        path: `^agent/daemon/(${SUBJECTS})/`,
        pathNot: [
          '^agent/daemon/$1/',
          '^agent/daemon/health/(check|probe)\\.ts$',
          '^agent/daemon/update/(ports|installer|life/state)\\.ts$',
        ],
      },
    ),
    forbidden(
      'platform-implements-ports',
      'A neighbour knows the ports that it implements, and nothing of those who use them.',
      '^agent/daemon/platform/',
      {
        path: `^agent/daemon/(${SUBJECTS}|rpc|metrics|main|compose|config)`,
        pathNot: [
          '^agent/daemon/update/(ports|installer|life/event)\\.ts$',
          // A source of bundles, another node that is one, and who shows one to RAUC.
          '^agent/daemon/delivery/(bundle-reader|bundle-delivery|peers)\\.ts$',
          '^agent/daemon/health/(check|probe)\\.ts$',
          '^agent/daemon/node/(device|disk-usage|inventory|host-readings|node-log|security-posture|units)\\.ts$',
          '^agent/daemon/attestation/tpm\\.ts$',
        ],
      },
    ),
    forbidden(
      'neighbours-meet-on-the-bus-only',
      'Each folder of platform is one neighbour; the bus is how some of them are reached.',
      '^agent/daemon/platform/([^/]+)/',
      { path: '^agent/daemon/platform/', pathNot: ['^agent/daemon/platform/$1/', '^agent/daemon/platform/dbus/'] },
    ),
    forbidden(
      'edges-know-no-neighbour-and-not-each-other',
      'gRPC and Prometheus show what the subjects know; they never ask a neighbour by themselves.',
      '^agent/daemon/(rpc|metrics)/',
      { path: '^agent/daemon/(platform|rpc|metrics|main|compose|config)', pathNot: '^agent/daemon/$1/' },
    ),
    forbidden('daemon-and-lamactl-meet-in-shared', 'They meet on the wire.', '^agent/daemon/', { path: '^agent/lamactl/' }),
    forbidden('lamactl-and-daemon-meet-in-shared', 'They meet on the wire.', '^agent/lamactl/', { path: '^agent/daemon/' }),
    forbidden(
      'the-verifier-is-pure',
      'Whoever trusts a verdict must be able to read all of what leads to it: no I/O, no TPM, no other library.',
      '^agent/lamactl/attest/',
      { pathNot: ['^agent/lamactl/attest/', '^agent/shared/', '^(node:)?crypto$', '^node_modules/valibot/'] },
    ),
    forbidden(
      'the-life-of-an-update-is-pure',
      'What an update does next follows from a state and an event alone; all that is known of a bundle is its type.',
      '^agent/daemon/update/life/',
      { pathNot: ['^agent/daemon/update/(life/|installer\\.ts$)', '^agent/shared/', '^node_modules/valibot/'] },
    ),
    forbidden('shared-knows-neither', 'What both say depends on neither.', '^agent/shared/', { path: '^agent/(daemon|lamactl)/' }),
    forbidden('the-product-knows-no-test', 'What is shipped needs nothing of what proves it.', '^agent/', { path: '^(qemu|test)/' }),
    forbidden(
      'one-wrapper-around-dbus-next',
      'Bare, it hangs and drops signals; the wrapper mends that once.',
      '^agent/daemon/(?!platform/dbus/)',
      {
        path: '^node_modules/dbus-next/',
      },
    ),
    forbidden('programs-are-run-by-platform', 'A process that is started is a neighbour.', '^agent/daemon/(?!platform/)', {
      path: '^node_modules/execa/',
    }),
    forbidden('metrics-own-prom-client', 'One edge for Prometheus.', '^agent/daemon/(?!metrics/|main|compose/)', {
      path: '^node_modules/prom-client/',
    }),
    forbidden(
      'rpc-owns-grpc',
      'Subjects speak in their own words; one edge speaks gRPC, and so does whatever reads from other nodes.',
      `^agent/daemon/(update|delivery|health|attestation|node|platform(?!/peers)|metrics)/`,
      {
        path: '^node_modules/@grpc/',
      },
    ),
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere fails at run time.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: { path: '^agent/shared/gen/' },
    tsPreCompilationDeps: true,
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'], conditionNames: ['import', 'require', 'node', 'default'] },
    parser: 'swc',
  },
};
