// SPDX-License-Identifier: Apache-2.0

/** "systemctl --state=help" of systemd 252, and what was added up to 258: load, active and sub states. */
export const UNIT_STATES: readonly string[] = [
  ...['stub', 'loaded', 'not-found', 'bad-setting', 'error', 'merged', 'masked'],
  ...['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating', 'maintenance', 'refreshing'],
  // Of several kinds of unit.
  ...['dead', 'running', 'waiting', 'exited', 'cleaning', 'elapsed', 'start-chown', 'abandoned', 'tentative', 'plugged'],
  ...['listening', 'deferred', 'start-open', 'stop-pre', 'stop-pre-sigterm', 'stop-pre-sigkill'],
  // Of a service.
  ...['condition', 'start-pre', 'start', 'start-post', 'reload', 'reload-signal', 'reload-notify', 'reload-post'],
  ...['refresh-extensions', 'refresh-credentials', 'stop', 'stop-watchdog', 'stop-sigterm', 'stop-sigkill', 'stop-post'],
  ...['final-watchdog', 'final-sigterm', 'final-sigkill', 'auto-restart', 'auto-restart-queued'],
  ...['dead-before-auto-restart', 'failed-before-auto-restart', 'dead-resources-pinned'],
  // Of a mount and of swap.
  ...['mounting', 'mounting-done', 'mounted', 'remounting', 'remounting-sigterm', 'remounting-sigkill'],
  ...['unmounting', 'unmounting-sigterm', 'unmounting-sigkill'],
  ...['activating-done', 'deactivating-sigterm', 'deactivating-sigkill'],
];
