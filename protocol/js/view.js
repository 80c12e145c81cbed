/**
 * The view fold: what everyone knows of a lobby after one more event of its room. The fields are
 * those of the protocol's public view.
 *
 * @typedef {{alien_id: string, paid: boolean, ready: boolean, active: boolean}} Player
 * @typedef {{variant: string, side: number, highest: number, min_players: number,
 *   max_players: number}} Rules
 * @typedef {Record<string, [number, number][]>} Patterns cells as [row, column], by name
 * @typedef {{lobby_id: string, rules?: Rules, patterns?: Patterns, status: string,
 *   buy_in_amount: number, pot: number, player_count: number, active_players: number, players: Player[], latest_number: number | null,
 *   previous_number: number | null, winner: string | null, outcome: string | null,
 *   created_at: number, started_at: number | null, finished_at: number | null,
 *   deadline: number | null, beacon?: {chain_hash: string, round: number | null}, server_seed_hash: string, seq: number}} View
 */

/**
 * @param {View} view
 * @param {string} name the event's
 * @param {object} message its fields, with `seq` and `at`
 * @returns {View}
 */
export function fold(view, name, message) {
  const change = CHANGES[name] ?? (() => ({})); // of a newer server
  const next = { ...view, ...change(view, message), seq: message.seq };
  next.active_players = next.players.filter((player) => player.active).length;
  return next;
}

const CHANGES = {
  player_joined: (view, { alien_id, ...counts }) => ({
    ...seats(counts),
    players: [...view.players, { alien_id, paid: false, ready: false, active: true }],
  }),
  player_paid: (view, { alien_id, ...counts }) => ({
    ...seats(counts),
    players: changed(view, alien_id, { paid: true }),
  }),
  player_ready: (view, { alien_id, ...counts }) => ({
    ...seats(counts),
    players: changed(view, alien_id, { ready: true }),
  }),
  player_left: (view, { alien_id, ...counts }) => ({
    ...seats(counts),
    players:
      view.status === "forming"
        ? view.players.filter((player) => player.alien_id !== alien_id)
        : changed(view, alien_id, { active: false }),
  }),
  status_changed: (view, { status, deadline, at, beacon }) => ({
    status,
    deadline,
    ...(beacon && { beacon }),
    started_at: status === "active" ? at : view.started_at,
  }),
  number_called: (_view, { number, previous }) => ({
    latest_number: number,
    previous_number: previous,
  }),
  player_kicked: (view, { alien_id }) => ({
    players: changed(view, alien_id, { active: false }),
  }),
  game_finished: (_view, { outcome, winner, pot, at }) => ({
    status: "finished",
    outcome,
    winner,
    pot,
    finished_at: at,
    deadline: null,
  }),
};

const seats = ({ player_count, pot }) => ({ player_count, pot });

const changed = (view, alienId, changes) =>
  view.players.map((player) => (player.alien_id === alienId ? { ...player, ...changes } : player));
