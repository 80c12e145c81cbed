// What a program sees of a server that says odd things: each event's `seq`, what ended them, and what
// became of a claim; or with "token" what becomes of a token that never comes.
import { connect } from "./client/index.js";

const [, , url, lobbyId] = process.argv;
const codeOf = (promise) => promise.then(() => "answered", (error) => error.code);
if (lobbyId === "token") {
  console.log(await codeOf(connect({ url, token: () => new Promise(() => {}) })));
} else {
  const desk = await connect({ url, token: "a.b.c" });
  const room = await desk.enter(lobbyId);
  await room.leave();
  const seqs = [];
  let end = "end";
  try {
    for await (const { seq } of room) seqs.push(seq);
  } catch (error) {
    end = error.code;
  }
  console.log(JSON.stringify([seqs, end, await codeOf(room.claim())]));
  desk.close();
}
