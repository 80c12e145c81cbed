// The messages of Fair Bingo, generated from its models. A socket of socket.io-client is a
// Socket<FrontDeskEvents, FrontDeskCommands> or a Socket<LobbyEvents, LobbyCommands>.

/**
 * An action was carried out, or there was nothing to do: whether it `changed` anything, and so
 * is in the log.
 */
export interface ActionDone {
  action: string;
  changed: boolean;
}

/**
 * `payouts/pause`: send nothing. `payouts/resume`: go on; the hour of the limit counts anew.
 */
export interface AllPayouts {
  reason?: string;
}

/**
 * `announce`: said to everybody in every namespace; with `until` it stands, and is said on
 * connect. The same text again takes the place of the one before.
 */
export interface Announce {
  text: string;
  level?: "info" | "warning";
  until?: number | string | null;
  reason?: string;
}

/**
 * `announcement`: the operator's word to everybody, in every namespace; on connect too, while
 * it stands (`until`, Unix ms; null: it is said once).
 */
export interface Announcement {
  text: string;
  level: "info" | "warning";
  until: number | null;
}

/**
 * `POST /api/game/{lobby_id}/numbers/arrange`; `verified`: it holds the chosen numbers.
 */
export interface ArrangeAnswer {
  success: true;
  verified: true;
  message: string;
}

/**
 * Lobby: arrange the chosen numbers, as rows; without chosen numbers it chooses the grid's.
 */
export interface ArrangeGrid {
  alien_id?: string | null;
  grid: Array<Array<number>>;
}

/**
 * The grid that you hold now.
 */
export interface ArrangeGridAnswer {
  ok: true;
  grid: Array<Array<number>>;
}

/**
 * The `auth` of a connect packet. A lobby sends what came after `last_seq`, if it still has
 * all of that, and otherwise its whole state.
 */
export interface Auth {
  token: string;
  last_seq?: unknown;
}

/**
 * `ban`: the player takes no seat and gets no invoice, until then or for good.
 */
export interface BanPlayer {
  alien_id: string;
  reason: string;
  until?: number | string | null;
}

/**
 * The beacon's round is there, so the order of the numbers is fixed. `randomness` is the
 * SHA-256 of the signature; both are hex.
 */
export interface BeaconMixed {
  seq: number;
  at: number;
  round: number;
  signature: string;
  randomness: string;
}

/**
 * The public beacon that the order of the numbers waits for: its chain, and the round that the
 * start named, null before.
 */
export interface BeaconView {
  chain_hash: string;
  round: number | null;
}

/**
 * Lobby: "I have a complete pattern". A false claim removes the player from the game.
 */
export interface Claim {
  alien_id?: string | null;
}

/**
 * The claim was false: you are out. `missing_numbers` are of the pattern nearest to complete,
 * the first such.
 */
export interface ClaimFalse {
  ok: true;
  valid: false;
  kicked: true;
  missing_numbers: Array<number>;
  message: string;
}

/**
 * The claim was valid and the first: the pot is yours.
 */
export interface ClaimWon {
  ok: true;
  valid: true;
  winner: true;
  pattern: string;
  pot: number;
  message: string;
}

/**
 * `close`: no new seats in the tier.
 */
export interface CloseTier {
  buy_in_amount: number;
  reason: string;
}

/**
 * What is owed to a player and not settled: an entry of the ledger.
 */
export interface DebtLook {
  entry: string;
  kind: string;
  alien_id: string | null;
  lobby_id: string | null;
  amount: number;
  at: string;
}

/**
 * `draining`: this server shuts down; connect again after so many ms.
 */
export interface Draining {
  retry_after_ms: number;
}

/**
 * A failed acknowledgement.
 */
export interface ErrorAnswer {
  ok: false;
  error: ErrorBody;
}

/**
 * The `error` of a failed acknowledgement, and the `data` of a refused connect.
 */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retry: boolean;
  details?: Record<string, unknown>;
}

/**
 * The names of all refusals. The list is closed.
 */
export type ErrorCode = "invalid_message" | "invalid_numbers" | "invalid_grid" | "not_your_numbers" | "unknown_command" | "unknown_tier" | "websocket_only" | "unauthorized" | "token_expired" | "identity_mismatch" | "not_seated" | "not_paid" | "not_active" | "removed_from_game" | "banned" | "limit_reached" | "forbidden" | "unknown_lobby" | "unknown_invoice" | "not_offered" | "wrong_status" | "lobby_closed" | "lobby_full" | "already_arranged" | "not_finished" | "tier_closed" | "too_large" | "unsupported_encoding" | "rate_limited" | "too_slow" | "internal" | "draining" | "unavailable";

/**
 * `POST /api/me/exclusion`: for how many days the player is kept out.
 */
export interface ExclusionRequest {
  alien_id?: string | null;
  days: number;
}

/**
 * The end, with everything that may be known now. Cancelled or voided: 0, [], {},
 * null. `log_hash` vouches for the lobby's log up to here, also when there is no proof.
 */
export interface GameFinished {
  seq: number;
  at: number;
  outcome: "won" | "no_winner" | "cancelled" | "voided";
  winner: string | null;
  pattern: string | null;
  pot: number;
  numbers_called: Array<number>;
  grids: Record<string, Array<Array<number>>>;
  proof: Proof | null;
  log_hash: string;
}

/**
 * How far the payment of what a game owes its player is.
 */
export interface GamePayout {
  amount: number;
  status: string;
  reference: string | null;
}

/**
 * `GET /api/me/games`: the latest first; `next` is the cursor of the next page.
 */
export interface GamesPage {
  games: Array<PastGame>;
  next: string | null;
}

/**
 * `GET /health`.
 */
export interface Health {
  status: "healthy" | "unhealthy";
  redis_connected: boolean;
  timestamp: string;
  version: string;
}

/**
 * The claim was false: you are out. `missing_numbers` are of the pattern nearest to complete,
 * the first such.
 */
export interface HttpClaimFalse {
  valid: false;
  kicked: true;
  missing_numbers: Array<number>;
  message: string;
}

/**
 * The claim was valid and the first: the pot is yours.
 */
export interface HttpClaimWon {
  valid: true;
  winner: true;
  pattern: string;
  pot: number;
  message: string;
}

/**
 * An invoice, with its end as ISO-8601.
 */
export interface HttpInvoice {
  invoice_id: string;
  amount: string;
  recipient: string;
  token: string;
  network: string;
  status: "pending" | "paid" | "failed" | "expired" | "cancelled" | "refund_owed";
  expires_at: string;
  owed?: string;
}

/**
 * `POST /api/game/join`.
 */
export interface HttpJoinAnswer {
  lobby_id: string;
  status: "forming" | "arranging" | "active" | "finished";
  player_count: number;
  pot: number;
  invoice: HttpInvoice;
}

/**
 * `POST /api/game/{lobby_id}/leave`.
 */
export interface HttpLeaveAnswer {
  success: true;
}

/**
 * Your seat, as only you see it.
 */
export interface HttpYouPlaying {
  role: "player";
  paid: boolean;
  active: boolean;
  numbers: Array<number> | null;
  grid: Array<Array<number>> | null;
  invoice: HttpInvoice | null;
}

/**
 * You hold no seat. There is an invoice if one was ever issued to you in this lobby.
 */
export interface HttpYouWatching {
  role: "spectator";
  invoice?: HttpInvoice;
}

/**
 * What a player has to pay, and how far that is. Times are Unix ms.
 *
 * `owed` is what came in for this invoice and is owed back, in the unit of `amount`; it is
 * absent when nothing is.
 */
export interface Invoice {
  invoice_id: string;
  amount: string;
  recipient: string;
  token: string;
  network: string;
  status: "pending" | "paid" | "failed" | "expired" | "cancelled" | "refund_owed";
  expires_at: number;
  owed?: string;
}

/**
 * `POST /api/invoices`.
 */
export interface InvoiceRequest {
  alien_id?: string | null;
  buy_in_amount: number;
  lobby_id: string;
}

/**
 * `/lobbies`: take a seat in the fullest forming lobby of a tier, or open one.
 */
export interface Join {
  alien_id?: string | null;
  buy_in_amount: number;
  client_seed?: string | null;
}

/**
 * Your seat's lobby and what to pay for it.
 */
export interface JoinAnswer {
  ok: true;
  lobby: LobbyView;
  invoice: Invoice;
}

/**
 * `kick`: take a player's seat in a lobby that forms; a payment is owed back.
 */
export interface KickPlayer {
  alien_id: string;
  lobby_id: string;
  reason: string;
}

/**
 * One of the best.
 */
export interface Leader {
  rank: number;
  alien_id: string;
  games: number;
  won: number;
  coins_won: number;
}

/**
 * `GET /api/leaderboard`: who won most games of a period, of those who want to be shown.
 *
 * A day, a week and a month are today (UTC), the last 7 and the last 30 days with today: they
 * begin at midnight, which is `since`; null if it is for ever.
 */
export interface Leaderboard {
  period: "day" | "week" | "month" | "all";
  since: string | null;
  players: Array<Leader>;
}

/**
 * Lobby: give the seat up. While forming a payment is owed back; later it stays in the pot.
 */
export interface Leave {
  alien_id?: string | null;
}

/**
 * Your seat is given up.
 */
export interface LeaveAnswer {
  ok: true;
}

/**
 * `PUT /api/me/limits`: a limit that is not named stays; null takes it away.
 */
export interface LimitsRequest {
  alien_id?: string | null;
  coins_per_day?: number | null;
  coins_per_week?: number | null;
  coins_per_month?: number | null;
}

/**
 * The forming lobbies, oldest first.
 */
export interface ListAnswer {
  ok: true;
  lobbies: Array<LobbyView>;
}

/**
 * `/lobbies`: the forming lobbies, oldest first; of one tier if it is named.
 */
export interface ListLobbies {
  alien_id?: string | null;
  buy_in_amount?: number | null;
}

/**
 * `payouts/list`: payouts in the order of their ids, those of a status, those after one.
 */
export interface ListPayouts {
  status?: "due" | "sending" | "sent" | "settled" | "refused" | "held" | "unknown" | null;
  after?: string | "";
}

/**
 * `GET /health/live`: the process is up.
 */
export interface Live {
  status: "ok";
}

/**
 * `lobbies`: the forming lobbies, oldest first, on connecting to the front desk.
 */
export interface Lobbies {
  lobbies: Array<LobbyView>;
}

/**
 * `lobby_listed`: a forming lobby changed, or stopped forming.
 */
export interface LobbyListed {
  lobby: LobbyView;
}

/**
 * `GET /ops/api/lobbies/{lobby_id}`: the public `view` after all `steps`, whether it is
 * `in_books` only, what is still `owed` of it, how far its `payouts` are (with the books), and the
 * `problem` of its log, if it does not hold.
 */
export interface LobbyLook {
  lobby_id: string;
  view: Record<string, unknown> | null;
  paid_players: number;
  in_books: boolean;
  problem: string | null;
  owed: Array<DebtLook>;
  payouts: Array<PayoutView>;
  steps: Array<StepLook>;
}

/**
 * `lobby_state`: the whole view, with the lines that win, and your own part of it. `seq` and
 * `at` are those of the last event that it includes.
 */
export interface LobbyState {
  lobby_id: string;
  rules: Rules;
  status: "forming" | "arranging" | "active" | "finished";
  buy_in_amount: number;
  pot: number;
  player_count: number;
  active_players: number;
  players: Array<PlayerView>;
  latest_number: number | null;
  previous_number: number | null;
  winner: string | null;
  outcome: "won" | "no_winner" | "cancelled" | "voided" | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  deadline: number | null;
  beacon?: BeaconView;
  server_seed_hash: string;
  seq: number;
  patterns: Record<string, Array<[number, number]>>;
  you: You;
  at: number;
}

/**
 * A lobby as everyone sees it. Times are Unix ms, null while they have not come; without a
 * beacon, `beacon` is absent.
 */
export interface LobbyView {
  lobby_id: string;
  rules: Rules;
  status: "forming" | "arranging" | "active" | "finished";
  buy_in_amount: number;
  pot: number;
  player_count: number;
  active_players: number;
  players: Array<PlayerView>;
  latest_number: number | null;
  previous_number: number | null;
  winner: string | null;
  outcome: "won" | "no_winner" | "cancelled" | "voided" | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  deadline: number | null;
  beacon?: BeaconView;
  server_seed_hash: string;
  seq: number;
}

/**
 * An entry of the operators' log: who did what to what, when and why. `previous_hash` is the
 * `hash` of the entry before, 64 zeros for the first.
 */
export interface LogEntryView {
  id: number;
  at: string;
  operator: string;
  action: string;
  target: string;
  reason: string;
  details: Record<string, unknown> | null;
  previous_hash: string;
  hash: string;
}

/**
 * A number was called: the `index`-th, from 1.
 */
export interface NumberCalled {
  seq: number;
  at: number;
  number: number;
  previous: number | null;
  index: number;
}

/**
 * `payouts/retry`: try it now. `payouts/approve`: approve of one that is held.
 */
export interface OnePayout {
  payout_id: string;
  reason?: string;
}

/**
 * `open`: seats in the tier again.
 */
export interface OpenTier {
  buy_in_amount: number;
  reason: string;
}

/**
 * `GET /ops/api/me`: who the token is, and which actions the role may do.
 */
export interface Operator {
  name: string;
  role: "viewer" | "support" | "cashier" | "admin";
  actions: Array<string>;
}

/**
 * `GET /ops/api/log`: all entries, the oldest first; `intact` is whether nobody altered,
 * dropped or added one, and `problems` says where, a sentence each.
 */
export interface OperatorLogView {
  entries: Array<LogEntryView>;
  intact: boolean;
  problems: Array<string>;
}

/**
 * `GET /ops/api/orders`: the tiers that are closed, the players who are banned and until when
 * (Unix ms; null: for good), and the announcements that stand.
 */
export interface OrdersLook {
  closed: Array<number>;
  banned: Record<string, number | null>;
  announcements: Array<Announcement>;
}

/**
 * A game that its player has behind them.
 */
export interface PastGame {
  lobby_id: string;
  buy_in_amount: number;
  variant: string;
  outcome: "won" | "no_winner" | "cancelled" | "voided";
  won: boolean;
  kicked: boolean;
  pattern: string | null;
  pot: number;
  paid_in: number;
  paid_out: number;
  player_count: number;
  calls: number;
  finished_at: string;
  payout: GamePayout | null;
}

/**
 * What the provider says of an invoice. Unknown fields are ignored: they may add some.
 *
 * `amount` is in the token's smallest unit. There is no timestamp: a delivery is the same as
 * another if invoice, status and `txHash` are.
 */
export interface PaymentDelivery {
  invoice: string;
  status: "finalized" | "failed";
  recipient?: string | null;
  txHash?: string | null;
  amount?: string | null;
  decimals?: number | null;
  token?: string | null;
  network?: string | null;
  test?: boolean | string | null;
}

/**
 * `payout`: what a game owed you was paid, in coins, by the transaction `reference`; on every
 * connection of yours to the front desk.
 */
export interface Payout {
  lobby_id: string;
  amount: number;
  status: "settled";
  reference: string;
}

/**
 * Payouts, some at a time: what follows comes `after` the last id.
 */
export interface PayoutList {
  payouts: Array<PayoutView>;
}

/**
 * How far a payout is; `amount` in coins.
 */
export interface PayoutView {
  payout_id: string;
  entry_id: string;
  alien_id: string;
  amount: number;
  status: "due" | "sending" | "sent" | "settled" | "refused" | "held" | "unknown";
  reference: string | null;
  attempts: number;
  updated_at: string | null;
  reason: string | null;
  approved_by: Array<string>;
}

export interface PendingLimits {
  coins_per_day?: number | null;
  coins_per_week?: number | null;
  coins_per_month?: number | null;
  from: string;
}

/**
 * A seat was taken; it is not paid yet.
 */
export interface PlayerJoined {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
}

/**
 * A player claimed falsely and is out.
 */
export interface PlayerKicked {
  seq: number;
  at: number;
  alien_id: string;
  active_players: number;
}

/**
 * A player gave up the seat, or it was taken from them.
 */
export interface PlayerLeft {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
  reason: "left" | "unpaid" | "payment_failed" | "expired" | "kicked";
}

/**
 * The answer to each of them: what holds now (null: no limit), what comes, what was spent in
 * the last 24 hours, 7 and 30 days, and until when the player is kept out.
 */
export interface PlayerLimits {
  coins_per_day: number | null;
  coins_per_week: number | null;
  coins_per_month: number | null;
  pending: PendingLimits | null;
  spent: Spent;
  excluded_until: string | null;
}

/**
 * `GET /ops/api/players/{alien_id}`: where a player sits, what is `owed` to them, and until
 * when (Unix ms) they are `banned`.
 */
export interface PlayerLook {
  alien_id: string;
  banned: boolean;
  until: number | null;
  seats: Array<SeatLook>;
  owed: Array<DebtLook>;
}

/**
 * A seat was paid; the pot has grown by the buy-in.
 */
export interface PlayerPaid {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
}

/**
 * A player's grid is arranged.
 */
export interface PlayerReady {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
}

/**
 * A player as everyone sees them.
 */
export interface PlayerView {
  alien_id: string;
  paid: boolean;
  ready: boolean;
  active: boolean;
}

/**
 * What went wrong (RFC 9457). `code` is of the closed table; `title` is the status in words;
 * `details`, if any, are facts that help, times in Unix ms.
 */
export interface Problem {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  details?: Record<string, unknown>;
}

/**
 * The answer to it.
 */
export interface Profile {
  listed: boolean;
}

/**
 * `PUT /api/me/profile`: whether the player is shown on the leaderboard.
 */
export interface ProfileRequest {
  alien_id?: string | null;
  listed: boolean;
}

/**
 * All that is needed to check that the draw was fixed before anyone paid. Seeds and hashes are
 * lower-case hex; `players` are `[alien_id, client_seed, grid]` of all who paid, by `alien_id`;
 * `arranged` names those whose grid the server arranged, and whether they had picked. `log_hash`
 * is of the last record before the end, `proof_hash` of all the rest of the proof.
 */
export interface Proof {
  lobby_id: string;
  variant: string;
  server_seed: string;
  server_seed_hash: string;
  players: Array<[string, string, Array<Array<number>>]>;
  arranged: Record<string, "arranged" | "picked">;
  entropy: string;
  beacon?: ProofBeacon;
  numbers_called: Array<number>;
  winner: string | null;
  pattern: string | null;
  log_hash: string;
  proof_hash: string;
}

/**
 * The round of the public beacon that is part of the draw: its signature in hex, and its value,
 * which is the signature's SHA-256. Both are null if a game ended before the round was there, and
 * so before the first call.
 */
export interface ProofBeacon {
  chain_hash: string;
  round: number;
  signature: string | null;
  randomness: string | null;
}

/**
 * `GET /health/ready`: whether this process should get traffic.
 */
export interface Ready {
  status: "ok" | "starting" | "draining" | "degraded";
}

/**
 * `beacon_mixed`, as `sync` answers it.
 */
export interface RecordedBeaconMixed {
  seq: number;
  at: number;
  round: number;
  signature: string;
  randomness: string;
  event: "beacon_mixed";
}

/**
 * `game_finished`, as `sync` answers it.
 */
export interface RecordedGameFinished {
  seq: number;
  at: number;
  outcome: "won" | "no_winner" | "cancelled" | "voided";
  winner: string | null;
  pattern: string | null;
  pot: number;
  numbers_called: Array<number>;
  grids: Record<string, Array<Array<number>>>;
  proof: Proof | null;
  log_hash: string;
  event: "game_finished";
}

/**
 * `number_called`, as `sync` answers it.
 */
export interface RecordedNumberCalled {
  seq: number;
  at: number;
  number: number;
  previous: number | null;
  index: number;
  event: "number_called";
}

/**
 * `player_joined`, as `sync` answers it.
 */
export interface RecordedPlayerJoined {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
  event: "player_joined";
}

/**
 * `player_kicked`, as `sync` answers it.
 */
export interface RecordedPlayerKicked {
  seq: number;
  at: number;
  alien_id: string;
  active_players: number;
  event: "player_kicked";
}

/**
 * `player_left`, as `sync` answers it.
 */
export interface RecordedPlayerLeft {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
  reason: "left" | "unpaid" | "payment_failed" | "expired" | "kicked";
  event: "player_left";
}

/**
 * `player_paid`, as `sync` answers it.
 */
export interface RecordedPlayerPaid {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
  event: "player_paid";
}

/**
 * `player_ready`, as `sync` answers it.
 */
export interface RecordedPlayerReady {
  seq: number;
  at: number;
  alien_id: string;
  player_count: number;
  pot: number;
  event: "player_ready";
}

/**
 * `status_changed`, as `sync` answers it.
 */
export interface RecordedStatusChanged {
  seq: number;
  at: number;
  status: "forming" | "arranging" | "active";
  deadline: number | null;
  beacon?: BeaconView;
  event: "status_changed";
}

/**
 * Any namespace: replace the token of the whole connection.
 */
export interface RefreshToken {
  alien_id?: string | null;
  token: string;
}

/**
 * When the connection ends now, unless it is refreshed again (Unix ms).
 */
export interface RefreshTokenAnswer {
  ok: true;
  expires_at: number;
}

/**
 * `payouts/refuse`: do not pay it.
 */
export interface RefusePayout {
  payout_id: string;
  reason: string;
}

/**
 * What a lobby plays by, whatever is offered by now: the variant, the side of the grid, the
 * highest number (they start at 1), how many must have paid, and how many seats there are.
 */
export interface Rules {
  variant: string;
  side: number;
  highest: number;
  min_players: number;
  max_players: number;
}

/**
 * A player's seat in a lobby that is not over.
 */
export interface SeatLook {
  lobby_id: string;
  status: string;
  paid: boolean;
  active: boolean;
}

/**
 * `POST /api/game/{lobby_id}/numbers/select`.
 */
export interface SelectAnswer {
  success: true;
  message: string;
}

/**
 * Lobby: choose the numbers of the ticket; may be repeated until the grid is arranged.
 */
export interface SelectNumbers {
  alien_id?: string | null;
  numbers: Array<number>;
}

/**
 * The numbers that you hold now.
 */
export interface SelectNumbersAnswer {
  ok: true;
  numbers: Array<number>;
}

/**
 * One primary of the store: where it was found last, and how long it takes to answer.
 */
export interface ShardHealth {
  address: string | null;
  status: "ok" | "unavailable";
  round_trip_ms: number | null;
}

/**
 * What counts against limits now: payments, and seats that are not paid yet.
 */
export interface Spent {
  day: number;
  week: number;
  month: number;
}

/**
 * `GET /api/me/statement`, in the order of time.
 */
export interface Statement {
  entries: Array<StatementEntry>;
  sums: StatementSums;
  next: string | null;
}

/**
 * One movement of a player's money.
 */
export interface StatementEntry {
  entry_id: string;
  at: string;
  kind: "received" | "payout_owed" | "refund_owed" | "settled";
  amount: number;
  lobby_id: string | null;
  invoice_id: string | null;
  reference: string | null;
}

/**
 * What the movements of the whole window add up to; `owed` is what of it is not settled.
 */
export interface StatementSums {
  paid_in: number;
  paid_out: number;
  owed: number;
}

/**
 * The lobby as everyone sees it, the lines that win, your own part of it, and the seconds
 * since it became active (0 before). Times are ISO-8601, null while they have not come.
 */
export interface StatusAnswer {
  lobby_id: string;
  rules: Rules;
  status: "forming" | "arranging" | "active" | "finished";
  buy_in_amount: number;
  pot: number;
  player_count: number;
  active_players: number;
  players: Array<PlayerView>;
  latest_number: number | null;
  previous_number: number | null;
  winner: string | null;
  outcome: "won" | "no_winner" | "cancelled" | "voided" | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  deadline: string | null;
  beacon?: BeaconView;
  server_seed_hash: string;
  seq: number;
  patterns: Record<string, Array<[number, number]>>;
  you: HttpYouPlaying | HttpYouWatching;
  time_elapsed: number;
}

/**
 * The lobby's phase, and when it ends (Unix ms; null while active). The start of a game with a
 * beacon names the round that its order waits for.
 */
export interface StatusChanged {
  seq: number;
  at: number;
  status: "forming" | "arranging" | "active";
  deadline: number | null;
  beacon?: BeaconView;
}

/**
 * One record of a lobby's log, in words.
 */
export interface StepLook {
  id: string;
  at: string;
  text: string;
}

/**
 * `GET /health/redis`: how long the store takes to answer.
 */
export interface StoreHealth {
  status: "ok" | "unavailable";
  round_trip_ms: number | null;
  topology: "plain" | "sentinel" | "cluster";
  shards: Array<ShardHealth>;
}

/**
 * Lobby: what happened after `last_seq`, or the whole state.
 */
export interface Sync {
  alien_id?: string | null;
  last_seq?: unknown;
}

/**
 * The room events after `last_seq`, each with its name as `event`, and your own part of the
 * state after them, which is in no event.
 */
export interface SyncEvents {
  ok: true;
  events: Array<RecordedPlayerJoined | RecordedPlayerPaid | RecordedPlayerReady | RecordedPlayerLeft | RecordedStatusChanged | RecordedBeaconMixed | RecordedNumberCalled | RecordedPlayerKicked | RecordedGameFinished>;
  you: You;
}

/**
 * The whole state, when `last_seq` leads nowhere.
 */
export interface SyncState {
  ok: true;
  state: LobbyState;
}

/**
 * `unban`: the player may take seats again. `until` is ignored.
 */
export interface UnbanPlayer {
  alien_id: string;
  reason: string;
  until?: number | string | null;
}

/**
 * `void`: end a lobby in whatever phase it is; everything that was paid in is owed back.
 */
export interface VoidLobby {
  lobby_id: string;
  reason: string;
}

/**
 * The delivery is recorded. `processed` is false when it changed nothing that a player sees.
 */
export interface WebhookAnswer {
  success: true;
  processed: boolean;
  reason?: "test_payment" | "already_processed" | "recipient_mismatch" | "network_mismatch" | "decimals_mismatch" | "amount_missing" | "amount_mismatch" | "refund_owed";
}

export type You = YouPlaying | YouWatching;

/**
 * Your seat, as only you see it.
 */
export interface YouPlaying {
  role: "player";
  paid: boolean;
  active: boolean;
  numbers: Array<number> | null;
  grid: Array<Array<number>> | null;
  invoice: Invoice | null;
}

/**
 * You hold no seat. There is an invoice if one was ever issued to you in this lobby.
 */
export interface YouWatching {
  role: "spectator";
  invoice?: Invoice;
}

export interface FrontDeskEvents {
  lobbies: (message: Lobbies) => void;
  lobby_listed: (message: LobbyListed) => void;
  payout: (message: Payout) => void;
  announcement: (message: Announcement) => void;
  draining: (message: Draining) => void;
}

export interface FrontDeskCommands {
  join: (message: Join, answer: (answer: JoinAnswer | ErrorAnswer) => void) => void;
  list: (message: ListLobbies, answer: (answer: ListAnswer | ErrorAnswer) => void) => void;
  refresh_token: (message: RefreshToken, answer: (answer: RefreshTokenAnswer | ErrorAnswer) => void) => void;
}

export interface LobbyEvents {
  lobby_state: (message: LobbyState) => void;
  player_joined: (message: PlayerJoined) => void;
  player_paid: (message: PlayerPaid) => void;
  player_ready: (message: PlayerReady) => void;
  player_left: (message: PlayerLeft) => void;
  status_changed: (message: StatusChanged) => void;
  beacon_mixed: (message: BeaconMixed) => void;
  number_called: (message: NumberCalled) => void;
  player_kicked: (message: PlayerKicked) => void;
  game_finished: (message: GameFinished) => void;
  announcement: (message: Announcement) => void;
  draining: (message: Draining) => void;
}

export interface LobbyCommands {
  select_numbers: (message: SelectNumbers, answer: (answer: SelectNumbersAnswer | ErrorAnswer) => void) => void;
  arrange_grid: (message: ArrangeGrid, answer: (answer: ArrangeGridAnswer | ErrorAnswer) => void) => void;
  claim: (message: Claim, answer: (answer: ClaimWon | ClaimFalse | ErrorAnswer) => void) => void;
  leave: (message: Leave, answer: (answer: LeaveAnswer | ErrorAnswer) => void) => void;
  sync: (message: Sync, answer: (answer: SyncState | SyncEvents | ErrorAnswer) => void) => void;
  refresh_token: (message: RefreshToken, answer: (answer: RefreshTokenAnswer | ErrorAnswer) => void) => void;
}
