// SPDX-License-Identifier: Apache-2.0

/** The canonical gRPC status codes that a failure can travel under (google.rpc.Code, by name). */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

/**
 * Every way in which LamaDist says no: the status it travels under and what the administrator can do about it.
 * docs/OPERATIONS.md lists the same codes; a test compares the two.
 */
export const FAILURES = {
  INVALID_REQUEST: { status: 'INVALID_ARGUMENT', remedy: 'correct the field that the message names' },
  CONFIG_INVALID: { status: 'FAILED_PRECONDITION', remedy: 'correct the file and field that the message names' },
  PERMISSION_DENIED: { status: 'PERMISSION_DENIED', remedy: 'use a certificate with a role that is allowed to do this' },
  UNAUTHENTICATED: { status: 'UNAUTHENTICATED', remedy: "use a client certificate that the node's CA signed and that is valid now" },
  TOO_MANY_CALLS: { status: 'RESOURCE_EXHAUSTED', remedy: 'end some of the calls that are open, and repeat' },
  NODE_UNREACHABLE: { status: 'UNAVAILABLE', remedy: 'check that the node is on, and its address in the context file' },
  NODE_UNTRUSTED: {
    status: 'UNAUTHENTICATED',
    remedy: "compare the node's address and name, and the CA in the context file; another machine may answer in its place",
  },
  ALREADY_CLAIMED: {
    status: 'FAILED_PRECONDITION',
    remedy: 'use the certificates of the administrator who claimed the node, or reset it at its console ("Joining" in docs/OPERATIONS.md)',
  },
  CLAIM_REFUSED: {
    status: 'PERMISSION_DENIED',
    remedy: "claim it with the authority that the node's image pins, or boot an image that pins yours",
  },
  TRUST_REFUSED: {
    status: 'FAILED_PRECONDITION',
    remedy: 'nothing was changed; "lamactl pki rotate" replaces an authority in steps that lock nobody out',
  },
  TRUST_CHANGED: { status: 'ABORTED', remedy: 'repeat; somebody else changed it meanwhile' },
  SERVICE_NOT_FOUND: { status: 'NOT_FOUND', remedy: 'list the services with server reflection' },
  UPDATE_IN_PROGRESS: {
    status: 'FAILED_PRECONDITION',
    remedy: 'look at it with "lamactl watch"; "lamactl cancel" gives it up, and "lamactl resume" lets a paused one go on',
  },
  REBOOT_PENDING: { status: 'FAILED_PRECONDITION', remedy: 'reboot into what is installed with "lamactl reboot", or roll it back' },
  NO_UPDATE_UNDER_WAY: { status: 'FAILED_PRECONDITION', remedy: 'look at "lamactl history"; there is nothing left to hold or to give up' },
  UPDATE_NOT_PAUSED: { status: 'FAILED_PRECONDITION', remedy: 'look at "lamactl watch"; only a paused update can be resumed' },
  POINT_OF_NO_RETURN: {
    status: 'FAILED_PRECONDITION',
    remedy: 'roll back with "lamactl rollback"; an activated slot can no longer be held',
  },
  UPDATE_NOT_FOUND: { status: 'NOT_FOUND', remedy: 'list the updates that this node knows with "lamactl history"' },
  NOTHING_TO_ROLL_BACK: { status: 'FAILED_PRECONDITION', remedy: 'a rollback needs an update under way, or a good other slot' },
  REBOOT_REFUSED: { status: 'FAILED_PRECONDITION', remedy: 'wait for the install to end, or watch it' },
  VERSION_FAILED_HERE: { status: 'FAILED_PRECONDITION', remedy: 'install another version, or repeat with --force' },
  UNIT_NOT_FOUND: { status: 'NOT_FOUND', remedy: 'list the units of this node with "lamactl units"' },
  RESTART_NOT_ALLOWED: { status: 'FAILED_PRECONDITION', remedy: 'name the unit under units.restart in the configuration of the node' },
  UNIT_FAILED: { status: 'FAILED_PRECONDITION', remedy: 'read why with "lamactl logs --unit"' },
  BUNDLE_NOT_FOUND: {
    status: 'NOT_FOUND',
    remedy: 'check the path, or the URL; with --on-node the path is one of the node, without it one of this machine',
  },
  BUNDLE_UNTRUSTED: { status: 'FAILED_PRECONDITION', remedy: "sign the bundle with a key that the node's keyring trusts" },
  CERTIFICATE_NOT_YET_VALID: {
    status: 'FAILED_PRECONDITION',
    remedy: 'compare the clock of the node with the certificate of the bundle or its server; look at the time synchronisation',
  },
  BUNDLE_INVALID: { status: 'FAILED_PRECONDITION', remedy: 'build or copy the bundle again' },
  BUNDLE_INCOMPATIBLE: { status: 'FAILED_PRECONDITION', remedy: 'use the bundle that was built for this kind of node' },
  BUNDLE_TOO_LARGE: { status: 'RESOURCE_EXHAUSTED', remedy: 'build a bundle whose images fit the slots of this node' },
  DOWNGRADE_REFUSED: { status: 'FAILED_PRECONDITION', remedy: 'install a newer version, or repeat with --allow-downgrade' },
  CLIENT_GONE: { status: 'UNAVAILABLE', remedy: 'install again: what came of the bundle was kept, and goes on where it broke off' },
  BUNDLE_CHANGED: { status: 'ABORTED', remedy: 'install again, and leave the bundle as it is meanwhile' },
  DOWNLOAD_REFUSED: {
    status: 'FAILED_PRECONDITION',
    remedy: "check the URL, what it redirects to, the server's certificate, and what it asks of its clients",
  },
  DOWNLOAD_FAILED: { status: 'UNAVAILABLE', remedy: 'check the URL, its certificate, and that the node can reach it; then install again' },
  NO_SPACE: { status: 'RESOURCE_EXHAUSTED', remedy: 'free space on the data file system of the node' },
  INSTALL_FAILED: { status: 'INTERNAL', remedy: 'read the message from RAUC; install again' },
  INSTALL_INTERRUPTED: { status: 'ABORTED', remedy: 'install again; the running slot was not touched' },
  RAUC_UNAVAILABLE: { status: 'UNAVAILABLE', remedy: 'look at "systemctl status rauc.service" on the node' },
  RAUC_REFUSED: { status: 'FAILED_PRECONDITION', remedy: 'read the message from RAUC' },
  RAUC_UNREADABLE: {
    status: 'FAILED_PRECONDITION',
    remedy:
      'compare "rauc --version" on the node with what the agent supports (1.9 and later), and look at what else may own its name on the bus',
  },
  BUS_UNAVAILABLE: { status: 'UNAVAILABLE', remedy: 'look at "systemctl status dbus.service" on the node' },
  JOURNAL_UNREADABLE: { status: 'DATA_LOSS', remedy: 'the damaged file was kept beside the new one; look at both' },
  JOURNAL_UNWRITABLE: { status: 'UNAVAILABLE', remedy: 'free space on, or repair, the data file system of the node' },
  EVIDENCE_INVALID: {
    status: 'DATA_LOSS',
    remedy: 'take the evidence anew with "lamactl attest run --save"; a node that repeats it is not to be trusted',
  },
  TPM_MISSING: { status: 'FAILED_PRECONDITION', remedy: 'switch the TPM on in the firmware; without one the node stays unattested' },
  TPM_UNAVAILABLE: {
    status: 'UNAVAILABLE',
    remedy: 'read the message from the TPM; hierarchies must have no password (tpm2_changeauth on the node takes one away)',
  },
  TPM_LOCKED: {
    status: 'UNAVAILABLE',
    remedy: 'wait, it opens by itself with time, or open it with "tpm2_dictionarylockout --clear-lockout" on the node',
  },
  TPM_BUSY: { status: 'RESOURCE_EXHAUSTED', remedy: 'repeat in a few seconds; too many ask the TPM of this node at once' },
  CREDENTIAL_REFUSED: { status: 'FAILED_PRECONDITION', remedy: 'enroll again; the credential is for other keys than those of this TPM' },
  NOT_TRUSTED: {
    status: 'FAILED_PRECONDITION',
    remedy: 'look at what the node proves with "lamactl attest show"; without --require-attestation nobody asks',
  },
  ROLLOUT_TAKEN_OVER: {
    status: 'ABORTED',
    remedy:
      'look at "lamactl rollout status"; whoever holds the rollout now goes on with it, and "lamactl rollout take-over" takes it back',
  },
  ROLLOUT_NOT_FOUND: { status: 'NOT_FOUND', remedy: 'list the rollouts with "lamactl rollout list"' },
  ROLLOUT_UNDER_WAY: {
    status: 'FAILED_PRECONDITION',
    remedy: 'go on with it ("lamactl rollout resume"), give it up ("lamactl rollout abort"), or start over it with --replace',
  },
  ROLLOUT_REFUSED: {
    status: 'FAILED_PRECONDITION',
    remedy: 'look at "lamactl rollout status"; the message says what the rollout waits for',
  },
  ROLLOUT_UNRECORDED: {
    status: 'UNAVAILABLE',
    remedy: 'bring back the nodes that keep the record of the rollout; it goes on with "lamactl rollout resume"',
  },
  DRAIN_FAILED: {
    status: 'FAILED_PRECONDITION',
    remedy: 'read what kubectl says; a pod disruption budget that allows nothing, or a pod of no controller, stops a drain',
  },
  DEADLINE_EXCEEDED: { status: 'DEADLINE_EXCEEDED', remedy: 'repeat with a longer --timeout, or look at the node' },
  INTERNAL: { status: 'INTERNAL', remedy: "report it with the agent's log" },
} as const satisfies Record<string, { status: StatusName; remedy: string }>;

export type FailureCode = keyof typeof FAILURES;

/** The domain of every google.rpc.ErrorInfo that LamaDist sends. */
export const FAILURE_DOMAIN = 'lamadist.agent.v1';

/**
 * The one error class. Its message is a sentence that says what could not be done, a colon, and the state found:
 * `Cannot install to slot "rootfs.1": RAUC is already installing`.
 */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly code: FailureCode,
    message: string,
    /** Facts for a program, by name; never a secret, for they travel to the caller and into logs. */
    readonly facts: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get remedy(): string {
    return FAILURES[this.code].remedy;
  }

  /** What was thrown, as a Failure: itself, or INTERNAL around it. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return new Failure('INTERNAL', `Cannot go on: ${text}`, {}, { cause: thrown });
  }
}
