// Given flags, gives a running Circuit: its addresses and a way to stop it. The binary is the one that ships.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.TESTED_CIRCUIT ?? fileURLToPath(new URL('../../target/release/circuit', import.meta.url));

/** Until Circuit says where it is; with `--connected` an import lies before that. */
const START_TIME_MAX = 180_000;
/** What Circuit promises on SIGTERM. */
const STOP_TIME_MAX = 10_000;

/** What a journey that failed left behind would keep the tests from ending. */
const running = new Set();
after(() => running.forEach((circuit) => circuit.kill('SIGKILL')));

/** `circuit demo --json`, with what its line of JSON tells. */
export async function demo(...flags) {
  const { process, line } = await started(['demo', '--json', '--port', '0', ...flags], 'stdout', /^(\{.*\})$/);
  return { ...JSON.parse(line[1]), stop: () => stopped(process) };
}

/** `circuit serve` on a data directory. */
export async function serve(dataDir) {
  const flags = ['serve', '--data-dir', dataDir, '--address', '127.0.0.1:0', '--log-format', 'human'];
  const { process, line } = await started(flags, 'stderr', / is at (http:\/\/[^\s"]+)/);
  return { url: line[1], stop: () => stopped(process) };
}

/** Changes the world behind the fake Atlassian; `GET /_world/` there tells what can be changed. */
export async function changeWorld(circuit, what, how = {}) {
  const answer = await fetch(`${circuit.control}/${what}`, { method: 'POST', body: JSON.stringify(how) });
  if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`);
}

async function started(flags, where, wanted) {
  const settings = Object.entries(process.env).filter(([name]) => !name.startsWith('CIRCUIT_'));
  const circuit = spawn(BINARY, flags, { stdio: ['ignore', 'pipe', 'pipe'], env: Object.fromEntries(settings) });
  running.add(circuit);
  circuit.on('exit', () => running.delete(circuit));
  const said = [];
  const found = new Promise((resolve, reject) => {
    for (const stream of ['stdout', 'stderr']) {
      createInterface({ input: circuit[stream] }).on('line', (line) => {
        said.push(line);
        const match = stream === where && wanted.exec(line);
        if (match) resolve(match);
      });
    }
    circuit.on('error', (error) => reject(new Error(`${BINARY} cannot be started: ${error.message}`)));
    circuit.on('exit', (code) => reject(new Error(`circuit ${flags.join(' ')} ended with ${code}:\n${said.join('\n')}`)));
    setTimeout(() => reject(new Error(`circuit ${flags.join(' ')} did not start:\n${said.join('\n')}`)), START_TIME_MAX).unref();
  });
  try {
    return { process: circuit, line: await found };
  } catch (error) {
    circuit.kill('SIGKILL');
    throw error;
  }
}

/** Asks it to stop, and demands that it does: in time, and with success. */
async function stopped(circuit) {
  if (circuit.exitCode !== null) throw new Error(`Circuit ended by itself with ${circuit.exitCode}`);
  const ended = once(circuit, 'exit');
  const late = setTimeout(() => circuit.kill('SIGKILL'), STOP_TIME_MAX);
  circuit.kill('SIGTERM');
  const [code, signal] = await ended;
  clearTimeout(late);
  if (code !== 0) throw new Error(`after SIGTERM Circuit ended with ${code ?? signal}`);
}
