import { coins, h } from "../parts/dom.js";
import { ask } from "./api.js";
import { confirm, untilOf } from "./confirming.js";

const REASON = { reason: { label: "Why, for the log" } };
const UNTIL = { until: { label: "Until (empty: for good)", type: "datetime-local", optional: true } };

/**
 * The buttons of what the operator's role may do. `done` is called after each action with what was
 * done, in words.
 * @param {string[]} may names of actions
 * @param {(words: string) => void} done
 */
export function actionsOf(may, done) {
  const offer = (name, label, action) =>
    may.includes(name) &&
    h("button", { type: "button", onclick: () => confirm({ ...action, button: label }) }, label);
  const perform = (name, body, words) => async (values) => {
    const { changed } = await ask(name, { ...body, ...prepared(values) });
    done(changed ? words : "Nothing changed: it was so already.");
  };
  const atPayout = (name, label, effect, words) => (payout) =>
    offer(`payouts/${name}`, label, {
      title: `${label} ${payout.payout_id}`,
      effect: effect(payout),
      fields: REASON,
      perform: perform(`payouts/${name}`, { payout_id: payout.payout_id }, `${payout.payout_id}: ${words}.`),
    });
  return {
    approve: atPayout("approve", "Approve", approveWords, "your approval counts"),
    retry: atPayout("retry", "Try again", retryWords, "it is tried again"),
    refuse: atPayout("refuse", "Refuse", refuseWords, "it is refused"),
    pause: () =>
      offer("payouts/pause", "Pause payouts", {
        title: "Pause payouts",
        effect: "Nobody is paid until somebody lets payouts go on. Games go on, and what is won is owed.",
        fields: REASON,
        perform: perform("payouts/pause", {}, "Payouts pause."),
      }),
    resume: (due) =>
      offer("payouts/resume", "Let payouts go on", {
        title: "Let payouts go on",
        get effect() {
          return resumeWords(due());
        },
        fields: REASON,
        perform: perform("payouts/resume", {}, "Payouts go on."),
      }),
    void: ({ lobby_id, view, paid_players }) =>
      offer("void", "Void the game", {
        title: `Void ${lobby_id}`,
        effect: voidWords(view, paid_players),
        fields: REASON,
        perform: perform("void", { lobby_id }, `${lobby_id} is voided.`),
      }),
    kick: (alien_id, { lobby_id, view }) =>
      offer("kick", "Take the seat", {
        title: `Take the seat of ${alien_id}`,
        effect: kickWords(alien_id, view),
        fields: REASON,
        perform: perform("kick", { alien_id, lobby_id }, `${alien_id} has no seat there any more.`),
      }),
    ban: (alien_id) =>
      offer("ban", "Ban", {
        title: `Ban ${alien_id}`,
        effect:
          "They take no new seat and get no invoice, at any table. A seat that is paid plays on and may win.",
        fields: { ...REASON, ...UNTIL },
        perform: perform("ban", { alien_id }, `${alien_id} is banned.`),
      }),
    unban: (alien_id) =>
      offer("unban", "Lift the ban", {
        title: `Lift the ban of ${alien_id}`,
        effect: "They may take seats again at once.",
        fields: REASON,
        perform: perform("unban", { alien_id }, `${alien_id} is not banned any more.`),
      }),
    close: (tier) =>
      offer("close", `Close ${coins(tier)}`, {
        title: `Close the tier of ${coins(tier)} coins`,
        effect:
          "No new seats, and its lobbies are not listed. What forms starts with those who have paid, or is cancelled by its time; games in play go on.",
        fields: REASON,
        perform: perform("close", { buy_in_amount: tier }, `The tier ${coins(tier)} is closed.`),
      }),
    open: (tier) =>
      offer("open", `Open ${coins(tier)}`, {
        title: `Open the tier of ${coins(tier)} coins`,
        effect: "Seats are sold again at once.",
        fields: REASON,
        perform: perform("open", { buy_in_amount: tier }, `The tier ${coins(tier)} is open.`),
      }),
    announce: () =>
      offer("announce", "Announce", {
        title: "Send an announcement",
        effect:
          "Everybody who is connected gets it now. With an end, whoever connects until then gets it too.",
        fields: {
          text: { label: "Text" },
          level: { label: "Level", options: ["info", "warning"] },
          until: { ...UNTIL.until, label: "Stands until (empty: sent once)" },
          ...REASON,
        },
        perform: perform("announce", {}, "The announcement is sent."),
      }),
  };
}

function prepared({ until, ...values }) {
  return until === undefined ? values : { ...values, until: untilOf(until) };
}

function voidWords({ pot }, paidPlayers) {
  const owed = paidPlayers
    ? `owes ${coins(pot)} coins back to ${paidPlayers} player${paidPlayers === 1 ? "" : "s"}`
    : "owes nothing back, since nobody has paid";
  return `The game ends at once, and nobody wins. This ${owed}.`;
}

function kickWords(alienId, { players, buy_in_amount }) {
  const paid = players.find((player) => player.alien_id === alienId)?.paid;
  const owed = paid ? `owes ${coins(buy_in_amount)} coins back to them` : "owes nothing back";
  return `The seat is free at once. This ${owed}.`;
}

const resumeWords = (due) =>
  `What is due is sent at once: ${coins(due)} payout${due === 1 ? "" : "s"}. The hour of the limit counts anew.`;

const sum = ({ amount, alien_id }) => `${coins(amount)} coins to ${alien_id}`;

const approveWords = (payout) =>
  payout.approved_by.length === 0
    ? `Pays ${sum(payout)} when another operator approves of it too.`
    : `Pays ${sum(payout)} if you are not ${payout.approved_by.join(" or ")}, who approves already.`;

const retryWords = (payout) =>
  `Asks the payment service for ${sum(payout)} at once. What it may have paid is looked up first, so nothing is paid twice.`;

const refuseWords = (payout) =>
  `Does not pay ${sum(payout)}. It stays owed, and waits until somebody has it tried again. What the payment service may have paid of it before is looked up all the same.`;
