/** What each code of the protocol's error table means to the person who plays. */
export const MESSAGES = {
  invalid_message: "This page sent something the server does not understand. Reload it.",
  invalid_numbers: "A ticket needs the full count of different numbers, all in range.",
  invalid_grid: "Something is wrong with that grid. Arrange it again.",
  not_your_numbers: "The grid has to hold exactly the numbers you chose.",
  unknown_command: "This page is out of step with the server. Reload it.",
  unknown_tier: "There is no table at this price any more.",
  websocket_only: "Your network keeps this page from a live connection (WebSocket).",
  unauthorized: "We could not tell who you are. Open the game again from the Alien app.",
  token_expired: "Your sign-in has run out. Open the game again from the Alien app.",
  identity_mismatch: "You are signed in as somebody else now. Reload the page.",
  not_seated: "You have no seat in this game.",
  not_paid: "Your seat is not paid yet.",
  not_active: "You have left this game.",
  removed_from_game: "You are out of this game after a false claim.",
  banned: "This account may not take new seats.",
  limit_reached: "That would pass a limit that you set yourself.",
  forbidden: "Your role may not do that.",
  unknown_lobby: "This game is over and gone, or never was.",
  unknown_invoice: "There is no such invoice any more. Take a seat again.",
  wrong_status: "Too late: the game has moved on.",
  lobby_closed: "This game no longer takes players.",
  lobby_full: "Every seat of this game is taken.",
  already_arranged: "Your ticket is arranged: its numbers stay.",
  not_offered: "This server does not offer that.",
  not_finished: "There is a proof only after a game was played to its end.",
  tier_closed: "No new seats are sold for this buy-in at the moment.",
  too_large: "That was too much for one message.",
  unsupported_encoding: "Something between you and the server changes what this page sends.",
  rate_limited: "That was a little fast. Wait a second and try again.",
  too_slow: "Your connection could not keep up. We connect again.",
  internal: "Something broke on our side. Try again.",
  draining: "This server is making way for another. We connect again.",
  unavailable: "The game cannot answer at the moment. Try again soon.",
  unknown_variant: "This page does not know the game of this proof.",
  timed_out: "That takes too long. Try again.",
  no_answer: "The server has not answered. Look whether you are online, and try again.",
};

/**
 * What went wrong, in words.
 * @param {Error & {code?: string}} error
 */
export const inWords = (error) => MESSAGES[error.code] ?? error.message;
