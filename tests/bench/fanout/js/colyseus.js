// Colyseus, with a room for each `room` that is asked for.

import { Room, Server, matchMaker } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { createServer } from "node:http";
import { EVENT, announce, play } from "./rounds.js";

const rooms = [];

class Lobby extends Room {
  onCreate() {
    this.autoDispose = false;
    rooms.push(this);
  }
}

const http = createServer();
const server = new Server({
  greet: false,
  transport: new WebSocketTransport({ server: http, pingInterval: 0 }),
});
server.define("lobby", Lobby).filterBy(["room"]);
await server.listen(0, "127.0.0.1", 1000);
announce(http.address().port);
play((data) => {
  for (const room of rooms) room.broadcast(EVENT, data);
});
