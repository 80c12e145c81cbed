import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";

// A request of k6 blocks its user: here a thread asks, while this one waits.
const ASKING = `
  const { workerData: { port, done } } = require("node:worker_threads");
  port.on("message", async ({ url, body, headers }) => {
    const answer = await fetch(url, { method: "POST", body, headers }).catch((error) => error);
    port.postMessage({ status: answer.status ?? 0, text: answer.text ? await answer.text() : String(answer) });
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  });
`;
const done = new Int32Array(new SharedArrayBuffer(4));
const { port1, port2 } = new MessageChannel();
new Worker(ASKING, { eval: true, workerData: { port: port2, done }, transferList: [port2] }).unref();

function post(url, body, { headers }) {
  Atomics.store(done, 0, 0);
  port1.postMessage({ url, body, headers });
  Atomics.wait(done, 0, 0);
  const { status, text } = receiveMessageOnPort(port1).message;
  return { status, json: () => JSON.parse(text) };
}

export default { post };
