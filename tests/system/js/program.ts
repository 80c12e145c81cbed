// A program on the package, which has only to compile.
import { connect, Refusal, verify, type GameFinished, type LobbyView } from "@fair-bingo/client";

export async function play(url: string): Promise<string | null> {
  const desk = await connect({ url, token: async () => "a token" });
  const forming: LobbyView[] = desk.lobbies;
  const { lobby, invoice } = await desk.join(3500, { clientSeed: `luck ${forming.length}` });
  const room = await desk.enter(lobby.lobby_id);
  const grid: number[][] = await room.arrangeGrid([[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
  const numbers: number[] = await room.selectNumbers(grid.flat());
  let end: GameFinished | undefined;
  for await (const e of room) {
    if (e.event === "number_called" && numbers.includes(e.number)) {
      const answer = await room.claim().catch((error: unknown) => {
        if (error instanceof Refusal && error.code === "wrong_status") return null;
        throw error;
      });
      if (answer?.valid) return answer.pattern;
      answer?.missing_numbers.map((number) => number + e.index);
    } else if (e.event === "game_finished") {
      end = e;
    } else if (e.event === "lobby_state" && e.you.role === "player") {
      e.you.numbers?.length.toFixed(room.view.patterns.row_0?.length);
    }
    // @ts-expect-error: there is no such event
    if (e.event === "number_drawn") return null;
  }
  await room.leave();
  room.close();
  desk.close();
  const holds: boolean = await verify(end?.proof);
  return holds ? invoice.amount : null;
}

// @ts-expect-error: a token is needed
await connect({ url: "http://localhost:8000" });
