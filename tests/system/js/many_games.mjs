// Goes from one lobby to the next with one desk, and closes none: each is over when its player leaves.
import { connect } from "@fair-bingo/client";

const [, , url, token, ...lobbyIds] = process.argv;
const desk = await connect({ url, token });
for (const lobbyId of lobbyIds) {
  const room = await desk.enter(lobbyId);
  for await (const e of room) console.log(e.event);
}
desk.close();
