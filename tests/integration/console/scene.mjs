// A real daemon with a gate and the console, an agent whose actions wait for a person, and the programs of the command line: what
// the browser's tests play in. Everything is in a folder of its own, on loopback, and ended with it.

import { execFile, spawn } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { HeldKey } from './offline.mjs';

const run = promisify(execFile);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const kBob = 'user:bob@example.org';
/** What somebody hostile writes wherever a text can be written. */
export const kScript = '<img/src=x/onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
/** The same where neither spaces nor quotation marks may stand: as a scope, or in the address of what is done. */
export const kBareScript = '<img/src=x/onerror=document.title=/owned/>';
const kAudience = 'https://api.example.org';
const kPartner = 'https://partner.example';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `holds` does; fails with what it was for. */
export async function until(what, holds) {
  for (let attempt = 0; attempt < 600; ++attempt) {
    if (await holds()) return;
    await pause(50);
  }
  throw new Error(`${what}: not within 30 s`);
}

export class Scene {
  processes = [];

  /** `bin` is the folder of the programs, `pages` that of the console's built files. */
  static async start(bin, pages) {
    const scene = new Scene();
    scene.bin = bin;
    scene.folder = mkdtempSync(join(tmpdir(), 'chancery-console-'));
    try {
      scene.port = await freePort();
      scene.origin = `https://localhost:${scene.port}`;
      await scene.makeCertificate();
      await scene.startTpm();
      scene.partner = new HeldKey();
      writeFileSync(scene.at('anchors.json'), JSON.stringify({ anchors: [{ iss: kPartner, keys: [scene.partner.jwk] }] }), { mode: 0o600 });
      writeFileSync(scene.at('chancery.toml'), scene.configuration(pages));
      await scene.startDaemon();
      await scene.populate();
    } catch (error) {
      await scene.end();
      throw error;
    }
    return scene;
  }

  at(name) {
    return join(this.folder, name);
  }

  async makeCertificate() {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', this.at('tls.key')];
    await run('openssl', ['req', '-x509', '-days', '2', ...key, '-out', this.at('tls.pem'), ...names]);
    const { publicKey } = new X509Certificate(readFileSync(this.at('tls.pem')));
    /** By this the browser knows the daemon's certificate, and takes no other that nobody vouches for. */
    this.certificateHash = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
  }

  configuration(pages) {
    return `allow_root = true
[server]
socket = "${this.at('sock')}"
socket_group = ""
tls_listen = "127.0.0.1:${this.port}"
tls_certificate = "${this.at('tls.pem')}"
tls_key = "${this.at('tls.key')}"
[issuer]
trust_domain = "example.org"
url = "${this.origin}"
backend = "tpm"
[state]
path = "${this.at('state')}"
[[backend]]
name = "tpm"
tcti = "swtpm:path=${this.at('tpm.sock')}"
allow_simulator = true
[verify]
trust_anchors = "${this.at('anchors.json')}"
[console]
enabled = true
files = "${pages}"
approvers = ["${process.getuid()}=user:operator@example.org"]
[[gate]]
name = "refunds"
scopes = ["payments.refund"]
when = "above"
parameter = "amount"
above = 100
approvers = ["${kBob}"]
`;
  }

  /** Starts a program that goes on; what it says is in `NAME.log`. */
  launch(name, program, args) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.said = '';
    const keep = (text) => {
      child.said += text;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => keep(String(error)));
    child.name = name;
    this.processes.push(child);
    return child;
  }

  async startTpm() {
    mkdirSync(this.at('tpm'));
    const place = (name) => `type=unixio,path=${this.at(name)},mode=0600`;
    this.launch('swtpm', 'swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${this.at('tpm')},mode=0600`, '--server', place('tpm.sock'),
      '--ctrl', place('tpm.sock.ctrl'), '--flags', 'not-need-init,startup-clear']); // prettier-ignore
    await until('the TPM should be there', () => existsSync(this.at('tpm.sock')));
  }

  async startDaemon() {
    const daemon = this.launch('chanceryd', join(this.bin, 'chanceryd'), ['--config', this.at('chancery.toml')]);
    await until('the daemon should be there', async () => {
      if (daemon.exitCode !== null) throw new Error(`chanceryd ended: ${daemon.said}`);
      return this.chancery(['status']).then(() => true, () => false); // prettier-ignore
    });
  }

  async populate() {
    const uid = String(process.getuid());
    for (const name of ['support', 'mail']) await this.chancery(['agent', 'create', name, '--uid', uid]);
    this.chain = await this.grant('support', 'user:alice@example.org');
    this.hostileChain = await this.grant('mail', `user:${kScript}`);
    this.offline = this.delegateOffline();
  }

  async grant(agent, principal) {
    const bounds = ['--constraint', 'payments.refund#amount:max=5000', '--constraint', 'payments.refund#amount:max_lifetime=100000'];
    const chain = await this.chancery(['grant', '--for', principal, '--agent', agent, '--audience', kAudience, '--scope', 'payments.refund',
      '--scope', 'crm.*', ...bounds, '--lifetime', '8h']); // prettier-ignore
    return chain.trim();
  }

  /** An issuer that the daemon trusts grants to an agent, which delegates past the daemon: of none of both tokens the daemon has written anything. */
  delegateOffline() {
    const [agent, child] = [new HeldKey(), new HeldKey()];
    const strange = { key: `crm.read#${kScript}`, one_of: [kScript, 'safe\u202egpj.exe'] };
    const limits = [{ key: 'payments.refund#amount', max: 5000 }, { key: `payments.refund#${kScript}`, max_subtree: 100 }, strange];
    const authorization_details = [{ type: 'agent_delegation', scopes: ['payments.refund', 'crm.*', kBareScript], constraints: limits }];
    const granted = this.partner.grant(agent, {
      iss: kPartner, sub: `user:${kScript}`, aud: [kAudience, kScript], client_id: `spiffe://partner.example/agent/${kScript}`, authorization_details,
    }); // prettier-ignore
    const chain = agent.delegate(granted, child, { client_id: `spiffe://partner.example/agent/below ${kScript}` });
    return { key: child, chain };
  }

  /** An action by the token that was delegated offline, for an audience and at an address that are hostile too: the id of its request. */
  async waitingOffline(amounts) {
    const params = { ...amounts, [kScript]: 1 };
    const uri = `${kAudience}/refunds/${kBareScript}`;
    const { key, chain } = this.offline;
    const answer = await this.onSocket('POST', '/v1/authorize', { chain, proof: key.proof(chain, 'POST', uri), method: 'POST', uri, audience: kScript,
      action: { scope: 'payments.refund', params } }); // prettier-ignore
    if (answer.body.outcome !== 'approval_required') throw new Error(`it should wait: ${JSON.stringify(answer.body)}`);
    return answer.body.approval.id;
  }

  async chancery(args) {
    const env = { PATH: '/usr/bin:/bin', HOME: this.folder, XDG_RUNTIME_DIR: this.folder, NO_COLOR: '1', CHANCERY_SOCKET: this.at('sock') };
    const { stdout } = await run(join(this.bin, 'chancery'), args, { env, maxBuffer: 1 << 26 });
    return stdout;
  }

  async json(args) {
    return JSON.parse(await this.chancery([...args, '--format', 'json']));
  }

  /** Asks the daemon on its socket, as the operator. */
  onSocket(method, path, body, more = {}) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = text === '' ? more : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...more };
      const asked = request({ socketPath: this.at('sock'), method, path, headers }, (answer) => {
        let received = '';
        answer.setEncoding('utf8');
        answer.on('data', (part) => (received += part));
        answer.on('end', () => resolve({ status: answer.statusCode, body: received === '' ? undefined : JSON.parse(received) }));
      });
      asked.on('error', reject);
      asked.end(text);
    });
  }

  /** Has the agent try an action, with a fresh proof of exactly it; the decision as the enforcement point gets it. */
  async authorize(params, chain = this.chain, headers = {}) {
    const uri = `${kAudience}/refunds`;
    const bound = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${JSON.stringify(value)}`]);
    const proof = await this.chancery(['proof', chain, '--htm', 'POST', '--htu', uri, '--scope', 'payments.refund', ...bound]);
    const action = { scope: 'payments.refund', params };
    const answer = await this.onSocket('POST', '/v1/authorize', { chain, proof: proof.trim(), method: 'POST', uri, audience: kAudience, action }, headers);
    if (answer.status !== 200) throw new Error(`authorize: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** An action that waits: the id of its request. */
  async waiting(params, chain, headers) {
    const decision = await this.authorize(params, chain, headers);
    if (decision.outcome !== 'approval_required') throw new Error(`it should wait: ${JSON.stringify(decision)}`);
    return decision.approval.id;
  }

  async stateOf(id) {
    return (await this.onSocket('GET', `/v1/approvals/${id}`)).body.state;
  }

  /** The address of a new link, as the browser is handed it. */
  async link() {
    const { path } = await this.json(['console', '--no-browser']);
    return /https:\/\/[^"']+\/ui#link=[A-Za-z0-9_-]+/.exec(readFileSync(path, 'utf8'))[0];
  }

  async end() {
    for (const child of this.processes.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
      child.kill();
      await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
