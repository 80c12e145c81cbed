// Socket.IO, with a namespace for each room: `node socketio.js ws|eiows`.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { EVENT, announce, play } from "./rounds.js";

const engines = {
  ws: async () => ({}),
  eiows: async () => ({ wsEngine: (await import("eiows")).default.Server }),
};

const http = createServer();
const io = new Server(http, { transports: ["websocket"], ...(await engines[process.argv[2]]()) });
const rooms = new Map();
io.of(/^\/lobby_/).on("connection", (socket) => rooms.set(socket.nsp.name, socket.nsp));

http.listen({ port: 0, host: "127.0.0.1", backlog: 1000 }, () => announce(http.address().port));
play((data) => {
  for (const room of rooms.values()) room.emit(EVENT, data);
});
