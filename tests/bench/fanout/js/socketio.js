// Socket.IO, with a namespace for each room: `node socketio.js ws|eiows`.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { EVENT, announce, play } from "./rounds.js";

const engines = {
  ws: async () => ({}),
  eiows: async () => ({ wsEngine: (await import("eiows")).default.Server }),
};

const http = createServer();
// As in `work.py`: clients that are busy joining elsewhere answer nobody.
const NO_PING_MS = 1_800_000;
const io = new Server(http, {
  transports: ["websocket"],
  pingInterval: NO_PING_MS,
  pingTimeout: NO_PING_MS,
  connectTimeout: NO_PING_MS,
  ...(await engines[process.argv[2]]()),
});
const rooms = new Map();
io.of(/^\/lobby_/).on("connection", (socket) => rooms.set(socket.nsp.name, socket.nsp));

http.listen({ port: 0, host: "127.0.0.1", backlog: 1000 }, () => announce(http.address().port));
play((data) => {
  for (const room of rooms.values()) room.emit(EVENT, data);
});
