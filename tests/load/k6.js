/*
 * The same players with k6 (https://k6.io), for those who have it.
 *
 *     k6 run --vus 50 --duration 1m -e URL=http://127.0.0.1:8000 tests/load/k6.js
 *
 * The server has to be a development one (`fair-bingo dev`): it gives out tokens and pays. k6 knows
 * WebSockets, not Socket.IO, so the few packets that a player needs are spelled out here.
 */
import exec from "k6/execution";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import { WebSocket } from "k6/websockets";

const URL = __ENV.URL || "http://127.0.0.1:8000";
const BUY_IN = 3500;
const SIDE = 3;
const HIGHEST = 50;

const push = new Trend("push_latency", true);
const command = new Trend("command_latency", true);
const games = new Counter("games");
const refused = new Counter("refused");

export const options = { thresholds: { refused: ["count == 0"] } };

/** One game: join, pay, arrange, listen, claim. */
export default function () {
  const { idInTest, iterationInScenario } = exec.vu;
  const alienId = `k6-${idInTest}-${iterationInScenario}-${Date.now().toString(36)}`;
  const { token } = post("/dev/token", { alien_id: alienId });
  const seat = post("/api/game/join", { buy_in_amount: BUY_IN }, token);
  post("/dev/pay", { invoice_id: seat.invoice.invoice_id });
  play(token, seat.lobby_id);
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string} [token]
 * @returns {any}
 */
function post(path, body, token) {
  const headers = { "Content-Type": "application/json" };
  const answer = http.post(URL + path, JSON.stringify(body), {
    headers: token ? { ...headers, Authorization: `Bearer ${token}` } : headers,
  });
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/**
 * Socket.IO 5 over Engine.IO 4: "0" opens, "2" and "3" are ping and pong; of a namespace "40" is
 * the connect, "42" an event or a command, "43" its answer, "44" a refusal.
 * @param {string} token
 * @param {string} lobbyId
 */
function play(token, lobbyId) {
  const socket = new WebSocket(`${URL.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
  const grid = ticket();
  const called = new Set();
  /** When each command was sent, by the number that its answer carries. */
  const sent = new Map();
  let claimed = false;

  const ask = (name, payload) => {
    sent.set(sent.size, { name, at: Date.now() });
    socket.send(`42/${lobbyId},${sent.size - 1}${JSON.stringify([name, payload])}`);
  };
  const answered = (id, answer) => {
    const { name, at } = sent.get(id);
    command.add(Date.now() - at, { command: name });
    const lostRace = name === "claim" && answer.error?.code === "wrong_status";
    if (!answer.ok && !lostRace) refused.add(1, { command: name, code: answer.error.code });
  };
  const receive = (name, message) => {
    if (name !== "lobby_state" && message.at) push.add(Date.now() - message.at, { event: name });
    if (name === "number_called") called.add(message.number);
    if (!claimed && patterns(grid).some((numbers) => numbers.every((number) => called.has(number)))) {
      claimed = true;
      ask("claim", {});
    }
    if (name !== "game_finished") return;
    games.add(1);
    socket.close();
  };

  socket.onmessage = (message) => {
    const text = String(message?.data);
    if (text[0] === "0") return socket.send(`40/${lobbyId},${JSON.stringify({ token })}`);
    if (text === "2") return socket.send("3");
    const packet = /^4(\d)\/[^,]+,(\d*)(.*)$/s.exec(text);
    if (packet === null) return undefined;
    const [, type, id, json] = packet;
    if (type === "0") return ask("arrange_grid", { grid });
    const payload = JSON.parse(json);
    if (type === "2") return receive(payload[0], payload[1]);
    if (type === "3") return answered(Number(id), payload[0]);
    refused.add(1, { command: "connect", code: payload.data?.code });
    return socket.close();
  };
}

/** A ticket of random numbers, as rows. */
function ticket() {
  const numbers = new Set();
  while (numbers.size < SIDE * SIDE) numbers.add(1 + Math.floor(Math.random() * HIGHEST));
  const cells = [...numbers];
  return Array.from({ length: SIDE }, (_, row) => cells.slice(row * SIDE, (row + 1) * SIDE));
}

/** The numbers of each of its patterns: its rows, columns and diagonals. */
function patterns(grid) {
  const span = grid.map((_, i) => i);
  return [
    ...grid,
    ...span.map((column) => grid.map((row) => row[column])),
    span.map((i) => grid[i][i]),
    span.map((i) => grid[i][SIDE - 1 - i]),
  ];
}
