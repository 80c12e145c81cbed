// A whole game on the stock JavaScript client: alice plays to win and claims twice, bob claims too
// early and watches on, carol only watches. Both send half an emoji before they join. What
// everyone receives is printed, one JSON array `[who, "event" or "answer", name, data]`
// a line; `pay` asks the reader to pay an invoice. What is refused because the store did not
// answer in time, as where the machine pauses, is tried again.
//
// Usage: node play.js URL TOKENS, where TOKENS is a JSON object by name.

import { io } from "socket.io-client";

const [url, tokens] = [process.argv[2], JSON.parse(process.argv[3])];
const GRIDS = {
  alice: [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
  bob: [[10, 11, 12], [13, 14, 15], [16, 17, 18]],
};

const UNAVAILABLE = "unavailable";

const pause = () => new Promise((resolve) => setTimeout(resolve, 200));
const print = (...line) => console.log(JSON.stringify(line));

function enter(who, namespace) {
  const options = { transports: ["websocket"], auth: { token: tokens[who] }, forceNew: true };
  const socket = io(url + namespace, options);
  socket.onAny((event, data) => print(who, "event", event, data));
  socket.on("connect_error", async (error) => {
    if (error.data?.code !== UNAVAILABLE) fail(`${who}: ${error.message}`);
    await pause();
    socket.connect();
  });
  socket.ask = async (command, ...payload) => {
    let answer = await socket.emitWithAck(command, ...payload);
    while (answer.error?.code === UNAVAILABLE) {
      await pause();
      answer = await socket.emitWithAck(command, ...payload);
    }
    print(who, "answer", command, answer);
    return answer;
  };
  return socket;
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const once = (socket, event, fits = () => true) =>
  new Promise((resolve) => socket.on(event, (data) => fits(data) && resolve(data)));

async function join(who) {
  const desk = enter(who, "/lobbies");
  await once(desk, "lobbies");
  const cut = `luck \u{1f340}`.slice(0, -1);
  await desk.ask("join", { buy_in_amount: 3500, client_seed: cut });
  const { lobby, invoice } = await desk.ask("join", { buy_in_amount: 3500, client_seed: `ü ${who}` });
  await desk.ask("list", { buy_in_amount: 3500 });
  desk.disconnect();
  const room = enter(who, `/${lobby.lobby_id}`);
  await once(room, "lobby_state");
  const paid = once(room, "player_paid", (event) => event.alien_id === who);
  print(who, "pay", invoice.invoice_id, invoice);
  await paid;
  return { room, lobby };
}

async function prepare(who, room) {
  await room.ask("select_numbers", { numbers: GRIDS[who].flat() });
  await room.ask("arrange_grid", { grid: GRIDS[who] });
}

function hasPattern(grid, called) {
  const columns = [0, 1, 2].map((i) => grid.map((row) => row[i]));
  const diagonals = [[0, 1, 2].map((i) => grid[i][i]), [0, 1, 2].map((i) => grid[i][2 - i])];
  return [...grid, ...columns, ...diagonals].some((cells) => cells.every((n) => called.has(n)));
}

async function claimWhenComplete(room) {
  const called = new Set();
  await once(room, "number_called", ({ number }) => hasPattern(GRIDS.alice, called.add(number)));
  return room.ask("claim", {});
}

const alice = await join("alice");
const carol = enter("carol", `/${alice.lobby.lobby_id}`);
await once(carol, "lobby_state");
await prepare("alice", alice.room);
const won = claimWhenComplete(alice.room);
const finished = [alice.room, carol].map((room) => once(room, "game_finished"));
const bob = await join("bob");
finished.push(once(bob.room, "game_finished"));
const called = once(bob.room, "number_called");
await prepare("bob", bob.room);
await called;
await bob.room.ask("claim", {});
await won;
await Promise.all(finished);
await alice.room.ask("claim", {});
await alice.room.ask("sync", { last_seq: 0 });
await carol.ask("sync");
for (const socket of [alice.room, bob.room, carol]) socket.disconnect();
