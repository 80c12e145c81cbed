// What is refused has a code.
import { connect } from "@fair-bingo/client";

const [, , url, token] = process.argv;
const codeOf = (promise) => promise.then(() => null, (error) => error.code);
const desk = await connect({ url, token: () => token });
const codes = [
  await codeOf(connect({ url, token: "none" })),
  await codeOf(desk.enter("lobby_3500_000000000000")),
  await codeOf(desk.join(1)),
];
const { lobby } = await desk.join(3500);
const room = await desk.enter(lobby.lobby_id);
codes.push(await codeOf(room.selectNumbers([1, 2])), await codeOf(room.claim()));
await room.leave();
codes.push(await codeOf(room.leave()), await room[Symbol.asyncIterator]().next());
desk.close();
codes.push(await codeOf(room.claim()), await codeOf(desk.enter(lobby.lobby_id)));
console.log(JSON.stringify(codes));
