// Follows a lobby on the stock JavaScript client, which reconnects by itself, each time from the
// last event that it received. Everything that it receives is printed, `[event, data]` a line.
//
// Usage: node follow.js URL TOKEN LOBBY_ID

import { io } from "socket.io-client";

const RETRY_MS = 200;
const [url, token, lobbyId] = process.argv.slice(2);
let lastSeq = 0;

const socket = io(`${url}/${lobbyId}`, {
  transports: ["websocket"],
  auth: (send) => send({ token, last_seq: lastSeq }),
  reconnectionDelay: RETRY_MS,
  reconnectionDelayMax: 5 * RETRY_MS,
});
socket.onAny((event, data) => {
  console.log(JSON.stringify([event, data]));
  if (data.seq !== undefined) lastSeq = data.seq;
  if (event === "game_finished") process.exit(0);
});
// A connection that cannot be had is tried again by the client, one that is refused is not.
socket.on("connect_error", () => {
  if (!socket.active) setTimeout(() => socket.connect(), RETRY_MS);
});
