// A command that is stored and published, on Socket.IO with ioredis: `node arrange_grid.js REDIS_URL SCRIPT`.
//
// `arrange_grid` as our server carries it out: the grid is checked, the same script makes the same
// writes on condition that the log is as it was, what was published comes back by a subscription,
// it is sent to the room of ten, and whoever asked is answered.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { announce } from "./rounds.js";

const [url, path] = process.argv.slice(2);
const store = new Redis(url, { enableAutoPipelining: true });
const subscription = new Redis(url);
const script = readFileSync(path, "utf8");
const sha = await store.script("LOAD", script);
const rooms = new Map();

class Room {
  constructor(namespace) {
    this.id = namespace.name.slice(1);
    this.namespace = namespace;
    this.seq = 0;
    this.hash = "";
    this.last = Promise.resolve(subscription.ssubscribe(this.events));
  }

  get key() {
    return `lobby:{node}:${this.id}`;
  }

  get events() {
    return `${this.key}:events`;
  }

  // One change of a room at a time: others would only conflict.
  arrange(player, grid) {
    const done = this.last.then(() => this.#arrange(player, grid));
    this.last = done.catch(() => {});
    return done;
  }

  async #arrange(player, grid) {
    const numbers = grid.flat();
    const fits = numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 50);
    if (numbers.length !== 9 || !fits || new Set(numbers).size !== 9)
      return { ok: false, error: { code: "invalid_grid" } };
    const at = Date.now();
    const seq = this.seq + 1;
    const news = { seq, at, alien_id: player, player_count: 10, pot: 10000 };
    const fields = {
      version: String(seq),
      at: String(at),
      type: "grid_arranged",
      data: JSON.stringify({ alien_id: player, grid, by_server: null }),
      previous: this.hash,
      event: "player_ready",
      message: JSON.stringify(news),
    };
    const hash = createHash("sha256").update(JSON.stringify(fields)).digest("hex");
    const head = ["version", String(seq), "seq", String(seq), "minor", "0", "at", String(at)];
    const writes = [
      ["XADD", 2, `${seq}-0`, ...Object.entries(fields).flat()],
      ["HSET", 1, ...head, "hash", hash],
      ["HSET", 3, "numbers", JSON.stringify(numbers), "grid", JSON.stringify(grid)],
      ["SPUBLISH", 2, `${seq} ${hash}\n${JSON.stringify([[`${seq}-0`, fields]])}`],
    ];
    const checks = [[this.hash, "HGET", 1, "hash"]];
    const [outcome] = await store.evalsha(
      sha,
      3,
      this.key,
      this.events,
      `${this.key}:player:${player}`,
      String(at),
      "inf", // however long it took to get here
      JSON.stringify(checks),
      JSON.stringify(writes),
    );
    if (outcome !== "committed") return { ok: false, error: { code: outcome } };
    [this.seq, this.hash] = [seq, hash];
    this.namespace.emit("player_ready", news);
    return { ok: true, grid };
  }

  receive(message) {
    const seq = Number(message.slice(0, message.indexOf(" ")));
    if (seq > this.seq + 1) throw new Error("another server has changed the room");
  }
}

subscription.on("smessage", (channel, message) => {
  rooms.get(channel)?.receive(message);
});

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
io.of(/^\/lobby_/).on("connection", (socket) => {
  const events = `lobby:{node}:${socket.nsp.name.slice(1)}:events`;
  if (!rooms.has(events)) rooms.set(events, new Room(socket.nsp));
  const room = rooms.get(events);
  const player = socket.handshake.auth.token;
  socket.on("arrange_grid", ({ grid }, answer) => {
    room.arrange(player, grid).then(answer, (error) => {
      throw error;
    });
  });
});
http.listen({ port: 0, host: "127.0.0.1", backlog: 1000 }, () => announce(http.address().port));
