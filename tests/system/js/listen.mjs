// Listens to a lobby with the package, and prints each event as a line of JSON.
import { connect } from "@fair-bingo/client";

const [, , url, token, lobbyId] = process.argv;
const desk = await connect({ url, token });
const room = await desk.enter(lobbyId);
for await (const e of room) console.log(JSON.stringify(e));
console.log(JSON.stringify({ event: "view", view: room.view }));
desk.close();
