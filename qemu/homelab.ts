// SPDX-License-Identifier: Apache-2.0
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa, type Options, type ResultPromise } from 'execa';
import { stringify } from 'yaml';
import type { BundleRequest } from './bundle/build-bundle.ts';
import type { BootFiles, Driver, NodeIdentity, NodeRequest, ProvisionedFile, VirtualNode } from './driver.ts';
import { ownFolder } from './host/own-folder.ts';
import type { Say } from './host/say.ts';
import type { Image, ImageRecipe } from './image/image-recipe.ts';
import { namespaceDriver } from './namespace/namespace-driver.ts';
import { type Role, TestPki } from './pki/test-pki.ts';

const DIST = path.resolve(import.meta.dirname, '../dist');
const AGENT = path.join(DIST, 'lamadist-agent.js');
const LAMACTL = path.join(DIST, 'lamactl.js');
/** What ends a lamactl that does not end on one node: shorter than any scenario in a machine may take, so that it says how far it saw the update come. */
export const LAMACTL_LIMIT = { timeout: 20 * 60_000, killSignal: 'SIGINT' } as const;

export type NodeOptions = Partial<Pick<NodeRequest, 'maxTries' | 'slotBytes' | 'commandLine'>> & {
  /** A node that knows no administrator, and that no context knows. */
  readonly unclaimed?: true;
  /** Over what every node of the homelab has in its configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly files?: readonly ProvisionedFile[];
  /** In the administrator's context file. */
  readonly labels?: Readonly<Record<string, string>>;
};

/** A whole installation on this machine: an administrator with keys, a context file and lamactl, and nodes that trust the keys. */
export class Homelab {
  readonly #nodes = new Map<string, VirtualNode>();
  readonly #labels = new Map<string, Readonly<Record<string, string>>>();
  readonly #roles = new Set<Role>();
  /** Nodes that know no administrator yet. */
  readonly #strangers = new Set<string>();

  private constructor(
    /** The administrator's own files, gone with remove(). */
    readonly folder: string,
    readonly pki: TestPki,
    private readonly say: Say,
    private readonly driver: Driver,
  ) {}

  static async create(say: Say, driver: Driver = namespaceDriver): Promise<Homelab> {
    const homelab = new Homelab(await ownFolder(tmpdir(), 'lamadist-homelab-'), await TestPki.create(), say, driver);
    await homelab.writeIdentity('admin');
    return homelab;
  }

  get nodes(): readonly VirtualNode[] {
    return [...this.#nodes.values()];
  }

  get contextFile(): string {
    return path.join(this.folder, 'config.yaml');
  }

  image(version: string, variant: Partial<ImageRecipe> = {}): Promise<Image> {
    return this.driver.buildImage({ version, agent: AGENT, ...variant }, this.say);
  }

  /** What the firmware of a node starts to boot this version. */
  async bootFiles(version: string): Promise<BootFiles> {
    return this.driver.bootFiles(await this.image(version), this.folder);
  }

  bundlePath(version: string): string {
    return path.join(this.folder, 'bundles', `v${version}.raucb`);
  }

  /** A signed bundle of an image; returns its path on this machine. */
  async bundle(image: Image, request: Partial<BundleRequest> = {}): Promise<string> {
    const target = this.bundlePath(image.version);
    return (await this.driver.buildBundle({ image, pki: this.pki, target, ...request }, this.say)).path;
  }

  /** Makes a node, switched off, that knows the administrator; lamactl knows it by its name from now on. */
  async addNode(name: string, image: Image, options: NodeOptions = {}): Promise<VirtualNode> {
    const { config = {}, files = [], labels = {}, unclaimed = false, ...machine } = options;
    const provision = async (node: NodeIdentity) => [
      ...this.#settingsOf(node, config),
      ...(unclaimed ? [] : await this.#identityOf(node)),
      ...files,
    ];
    const node = await this.driver.createNode({ name, image, provision, say: this.say, ...machine });
    this.#nodes.set(name, node);
    this.#labels.set(name, labels);
    if (unclaimed) this.#strangers.add(name);
    await this.#writeContext();
    return node;
  }

  /** Runs lamactl as the administrator, or with the identity of another role. A command that fails is a result. */
  lamactl(args: readonly string[], options: Options & { role?: Role } = {}): ResultPromise<{ reject: false; all: true }> {
    const { role = 'admin', ...rest } = options;
    const env = { ...process.env, LAMACTL_CONFIG: this.contextFile };
    // It may update one node after the other.
    const limit = { ...LAMACTL_LIMIT, timeout: LAMACTL_LIMIT.timeout * Math.max(1, this.#nodes.size) };
    return execa('node', [LAMACTL, '--context', role, ...args], { reject: false, all: true, env, ...limit, ...rest } as never);
  }

  /** Gives the administrator a certificate of a role, as a context of its own. */
  async writeIdentity(role: Role): Promise<void> {
    const { certificate, key } = await this.pki.client(role);
    await writeFile(path.join(this.folder, 'ca.pem'), this.pki.agentAuthority.certificate);
    await writeFile(path.join(this.folder, 'keyring.pem'), this.pki.bundleAuthority.certificate);
    await writeFile(path.join(this.folder, `${role}.pem`), certificate);
    await writeFile(path.join(this.folder, `${role}.key`), key, { mode: 0o600 });
    this.#roles.add(role);
    await this.#writeContext();
  }

  /** Switches off and takes away all nodes, and the administrator's files. */
  async remove(): Promise<void> {
    const stopped = await Promise.allSettled([...this.#nodes.values()].map((node) => node.stop()));
    await rm(this.folder, { recursive: true, force: true });
    for (const each of stopped) if (each.status === 'rejected') throw each.reason;
  }

  #settingsOf(node: NodeIdentity, config: Readonly<Record<string, unknown>>): ProvisionedFile[] {
    const settings = { listen: `${node.listen}:${node.port}`, metrics: { listen: `${node.metricsListen}:9477` }, ...config };
    return [
      { path: '/etc/lamadist-agent/config.yaml', content: stringify(settings) },
      { path: '/etc/rauc/keyring.pem', content: this.pki.bundleAuthority.certificate },
    ];
  }

  async #identityOf(node: NodeIdentity): Promise<ProvisionedFile[]> {
    const { certificate, key } = await this.pki.node(node.name, node.host);
    return [
      { path: '/etc/lamadist-agent/tls/ca.pem', content: this.pki.agentAuthority.certificate },
      { path: '/etc/lamadist-agent/tls/node.pem', content: certificate },
      { path: '/etc/lamadist-agent/tls/node.key', content: key, mode: 0o600, owner: 'lamadist-agent' },
    ];
  }

  async #writeContext(): Promise<void> {
    const entry = (name: string, { host, port }: VirtualNode) => ({ address: `${host}:${port}`, labels: this.#labels.get(name) ?? {} });
    const known = [...this.#nodes].filter(([name]) => !this.#strangers.has(name));
    const nodes = Object.fromEntries(known.map(([name, node]) => [name, entry(name, node)]));
    const context = (role: Role) => ({ ca: 'ca.pem', keyring: 'keyring.pem', certificate: `${role}.pem`, key: `${role}.key`, nodes });
    const contexts = Object.fromEntries([...this.#roles].map((role) => [role, context(role)]));
    await writeFile(this.contextFile, stringify({ 'current-context': 'admin', contexts }, { aliasDuplicateObjects: false }));
  }
}
