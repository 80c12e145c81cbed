import type {
  ClaimFalse,
  ClaimWon,
  ErrorCode,
  JoinAnswer,
  LobbyEvents,
  LobbyState,
  LobbyView,
  You,
} from "./messages.js";

export type * from "./messages.js";

/** A token, or where to get one: a function is asked for a new one before the last one expires. */
export type TokenSource = string | (() => string | Promise<string>);

/** Connect to the front desk of the server at `url`. Rejects with a Refusal. */
export function connect(options: { url: string; token: TokenSource }): Promise<Desk>;

/**
 * Check a proof by itself: whether the draw was fixed before anyone had paid. It is false of
 * whatever is no proof, or one of a variant that is not known. A beacon in it is checked under
 * quicknet's public key, or that of `keys`, by the hash of its chain (both hex).
 */
export function verify(
  proof: unknown,
  options?: { keys?: Record<string, string> },
): Promise<boolean>;

/**
 * What was refused: by the server, with a code of its table, or by this client itself. `no_answer`:
 * there was none in time, and it is not known whether the command was carried out; `closed`: the
 * room or the desk was closed; `unreadable`: the server has sent what is no message of the protocol.
 */
export class Refusal extends Error {
  readonly code: ErrorCode | "no_answer" | "closed" | "unreadable" | "unknown_variant";
  /** Whether the same may be answered later. */
  readonly retry: boolean;
  readonly details?: Record<string, unknown>;
}

/**
 * The front desk. It comes back by itself when its connection breaks. Fires `change` when `lobbies`
 * did, `payout`, a CustomEvent with a Payout, when what a game owed the player was paid, and `gone`,
 * one with a Refusal, when the server does not let it back in.
 */
export interface Desk extends EventTarget {
  /** The player of the token. */
  readonly me: string | undefined;
  /** The forming lobbies as they are now, oldest first. */
  readonly lobbies: LobbyView[];
  /** Take a seat in a tier: the lobby it is in, and what to pay for it. */
  join(buyInAmount: number, options?: { clientSeed?: string }): Promise<JoinAnswer>;
  /** Go into a lobby, to play or to watch. Other rooms whose game is over are closed. */
  enter(lobbyId: string): Promise<Room>;
  /** End the connection, and close every room. */
  close(): void;
}

type RoomEvents = Omit<LobbyEvents, "draining" | "announcement">;

/** An event of a room with its name. A `lobby_state` stands for everything up to its `seq`. */
export type RoomEvent = {
  [Name in keyof RoomEvents]: { event: Name } & Parameters<RoomEvents[Name]>[0];
}[keyof RoomEvents];

/**
 * A lobby that was entered. To iterate over it gives each event once and in order, beginning with
 * the `lobby_state` that it was entered in, until the game is over or the room is closed, through
 * any number of broken connections; it throws a Refusal when the server does not let it back in.
 * Whoever stops, and iterates again, goes on where they stopped.
 *
 * Commands reject with a Refusal. What was under way when the connection broke is asked again, for
 * 15 seconds in all: none does more the second time.
 *
 * Fires `change` after anything changed.
 */
export interface Room extends EventTarget, AsyncIterable<RoomEvent> {
  readonly lobbyId: string;
  /** The lobby after the last event that came, taken or not. */
  readonly view: Omit<LobbyState, "you" | "at">;
  /** One's own part of it. */
  readonly you: You;
  /** Choose the numbers of the ticket: those that are held now. */
  selectNumbers(numbers: number[]): Promise<number[]>;
  /** Arrange the ticket, as rows: the grid that is held now. */
  arrangeGrid(grid: number[][]): Promise<number[][]>;
  /** Say that a pattern is complete. If it is not, the player is out. */
  claim(): Promise<ClaimWon | ClaimFalse>;
  /** Give the seat up. */
  leave(): Promise<void>;
  /** Leave the room, not the seat. */
  close(): void;
}
