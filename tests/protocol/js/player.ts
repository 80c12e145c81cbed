// A player on socket.io-client, who has only to compile.
import { io, type Socket } from "socket.io-client";
import type {
  ErrorCode,
  FrontDeskCommands,
  FrontDeskEvents,
  LobbyCommands,
  LobbyEvents,
  StatusAnswer,
} from "../../../protocol/types";

const options = { transports: ["websocket"], auth: { token: "" } };
const desk: Socket<FrontDeskEvents, FrontDeskCommands> = io("/lobbies", options);
const room: Socket<LobbyEvents, LobbyCommands> = io("/lobby_3500_000000000000", options);
const refused = new Set<ErrorCode>();

desk.on("lobbies", ({ lobbies }) => lobbies.map((lobby) => lobby.lobby_id.length));
desk.emit("join", { buy_in_amount: 3500 }, (answer) => {
  if (answer.ok) {
    answer.invoice.amount.length;
  } else {
    refused.add(answer.error.code);
  }
});
room.on("number_called", ({ seq, at, number, previous }) => seq + at + number + (previous ?? 0));
room.on("game_finished", ({ proof }) => proof?.players.map(([name, , grid]) => [name, ...grid]));
room.on("lobby_state", ({ you }) => (you.role === "player" ? you.numbers : you.invoice?.owed));
room.emit("sync", { last_seq: 1 }, (answer) => {
  if (answer.ok && "events" in answer) {
    answer.events.map((event) => (event.event === "player_left" ? event.reason : event.seq));
  }
});
export const elapsed = (status: StatusAnswer): number => status.time_elapsed;

// @ts-expect-error: there is no such command
room.emit("win", {});
// @ts-expect-error: a tier is a number
desk.emit("join", { buy_in_amount: "3500" }, () => undefined);
